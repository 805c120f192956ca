import { untrack } from 'svelte';

/** The glide restarts when drawn time and true time are this far apart: about 3 px on a wide screen. */
const DRIFT_MS = 80;

type Time = {
	/** milliseconds, about once a second */
	now: number;
	/** whether time moves between two values of `now` */
	gliding: boolean;
	/** the time that the width of a glider stands for */
	windowMs: number;
};

export type Glide = ReturnType<typeof createGlide>;

/**
 * Slides elements to the left with time. Their content stands still relative to `anchor`, and the compositor
 * moves them as a whole: a frame costs no script, no layout and no paint.
 * Call it while a component is set up; its effects end with the component.
 */
export function createGlide(time: () => Time) {
	let gliders: { element: HTMLElement; animation?: Animation }[] = [];
	let anchor = $state(untrack(time).now);
	let anchoredAt = -Infinity;

	$effect(() => {
		const { now, gliding, windowMs } = time();
		const age = performance.now() - anchoredAt;
		const shown = untrack(() => anchor) + (gliding ? age : 0);
		// the content reaches half a window further: then it is redrawn
		const fits = gliding ? Math.abs(now - shown) <= DRIFT_MS && age < windowMs / 2 : now === shown;
		if (fits) return;
		anchor = now;
		anchoredAt = performance.now();
	});
	const gliding = $derived(time().gliding);
	const windowMs = $derived(time().windowMs);

	function start(glider: (typeof gliders)[number]): void {
		const slide = [{ transform: 'translateX(0)' }, { transform: 'translateX(-100%)' }];
		glider.animation = glider.element.animate(slide, { duration: windowMs });
		glider.animation.currentTime = performance.now() - anchoredAt;
	}
	function stop(): void {
		for (const { animation } of gliders) animation?.cancel();
	}
	$effect(() => {
		void anchor;
		if (!gliding) return;
		gliders.forEach(start);
		return stop;
	});

	return {
		/** the time at the right edge of a glider that has not moved */
		get anchor() {
			return anchor;
		},
		/** how far the gliders have moved since, ms */
		shift(): number {
			return gliding && anchoredAt > 0 ? performance.now() - anchoredAt : 0;
		},
		/** An attachment: this element moves. */
		glider(element: HTMLElement) {
			const glider: (typeof gliders)[number] = { element };
			gliders.push(glider);
			// the chart's own layer comes later than the others, and joins their movement
			untrack(() => {
				if (gliding && anchoredAt > 0) start(glider);
			});
			return () => {
				glider.animation?.cancel();
				gliders = gliders.filter((one) => one !== glider);
			};
		},
	};
}
