/**
 * Visitors of a small product, all together: they arrive independently of each other, more or fewer of them by the rhythm,
 * and each goes through a visit of their own. Pure: the same seed gives the same events at the same times, without a clock.
 */
import { pick, type Random } from './random';
import { MAX_FACTOR, type Rhythm } from './rhythm';
import { ARRIVALS } from './site';
import { EVENTS_PER_VISIT, visit, type Deed, type VisitorEvent } from './visit';

export type { VisitorEvent };

export type VisitorsOptions = {
	/** events per second on average over a day */
	ratePerS: number;
	rhythm: Rhythm;
	/** people are already there at the start, since this long; what they did before is not told */
	warmUpMs?: number;
};

/** `atMs`: since the start; never decreases. `staysMs`: until the same visitor does something again, or `leaves`. */
export type Timed = { atMs: number; event: VisitorEvent; staysMs: number; leaves: boolean };

type Visitor = { atMs: number; deed: Deed; rest: Generator<Deed, void> };

/** Long enough for as many to leave as come. */
export const WARM_UP_MS = 4 * 60_000;

/** Returns a function that gives the next action of a visitor, for ever. The rate must be above 0. */
export function createVisitors(
	random: Random,
	{ ratePerS, rhythm, warmUpMs = 0 }: VisitorsOptions,
): () => Timed {
	const meanGapMs = (1000 * EVENTS_PER_VISIT) / ratePerS;
	/** by `atMs`, the next to act last */
	const present: Visitor[] = [];
	let nextArrival = nextAfter(0);

	// arrivals of a varying rate: candidates at the highest one, of which as many are kept as the moment asks for (thinning)
	function nextAfter(clockMs: number): number {
		for (let at = clockMs; ;) {
			at -= (meanGapMs / MAX_FACTOR) * Math.log(1 - random());
			if (random() * MAX_FACTOR < rhythm(at).factor) return at;
		}
	}

	function arrive(atMs: number): void {
		const { crowd } = rhythm(atMs);
		const { arrival, landing } = crowd && random() < crowd.share ? crowd : pick(random, ARRIVALS);
		queue(atMs, visit(random, arrival, landing));
	}

	/** @returns whether the visitor does anything more */
	function queue(atMs: number, rest: Generator<Deed, void>): boolean {
		const { value: deed, done } = rest.next();
		if (done) return false;
		let [low, high] = [0, present.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (present[middle]!.atMs > atMs) low = middle + 1;
			else high = middle;
		}
		present.splice(low, 0, { atMs, deed, rest });
		return true;
	}

	function act(): Timed {
		for (;;) {
			const first = present.at(-1);
			if (first && first.atMs <= nextArrival) {
				present.pop();
				const { event, pauseMs: staysMs } = first.deed;
				const leaves = !queue(first.atMs + staysMs, first.rest);
				return { atMs: first.atMs - warmUpMs, event, staysMs, leaves };
			}
			arrive(nextArrival);
			nextArrival = nextAfter(nextArrival);
		}
	}

	let early: Timed | undefined;
	if (warmUpMs > 0)
		do early = act();
		while (early.atMs < 0);

	return function next() {
		const event = early ?? act();
		early = undefined;
		return event;
	};
}
