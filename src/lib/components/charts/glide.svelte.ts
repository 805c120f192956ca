import { untrack } from 'svelte';

/** Drawn time and true time may drift this far apart before the glide starts anew: about 3 px on a wide screen. */
const DRIFT_MS = 80;

type Time = {
	/** milliseconds, about once a second */
	now: number;
	/** whether time moves between two values of `now`; otherwise it is shown as it is told */
	gliding: boolean;
	/** how much time the width of a glider stands for */
	windowMs: number;
};

/**
 * Slides elements to the left with time. What is plotted in them stands still, relative to `anchor`, and
 * the compositor moves them as a whole: a frame costs no script, no layout and no paint.
 * Call it while a component is set up; its effects end with it.
 */
export function createGlide(time: () => Time) {
	let gliders: HTMLElement[] = [];
	let anchor = $state(untrack(time).now);
	let anchoredAt = -Infinity;

	$effect(() => {
		const { now, gliding, windowMs } = time();
		const age = performance.now() - anchoredAt;
		const shown = untrack(() => anchor) + (gliding ? age : 0);
		// what is plotted reaches half a window further: then it is plotted anew
		const fits = gliding ? Math.abs(now - shown) <= DRIFT_MS && age < windowMs / 2 : now === shown;
		if (fits) return;
		anchor = now;
		anchoredAt = performance.now();
	});
	const gliding = $derived(time().gliding);
	const windowMs = $derived(time().windowMs);
	$effect(() => {
		void anchor;
		if (!gliding) return;
		const slide = [{ transform: 'translateX(0)' }, { transform: 'translateX(-100%)' }];
		const slides = gliders.map((glider) => glider.animate(slide, { duration: windowMs }));
		return () => slides.forEach((animation) => animation.cancel());
	});

	return {
		/** the time at the right edge of a glider that has not moved */
		get anchor() {
			return anchor;
		},
		/** an attachment: this element moves */
		glider(element: HTMLElement) {
			gliders.push(element);
			return () => {
				gliders = gliders.filter((glider) => glider !== element);
			};
		},
	};
}
