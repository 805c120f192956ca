/**
 * How busy a site is at a moment: the hour of the day, and the weather of its world: a newsletter or a front page brings
 * a crowd that ebbs away, at times hardly anybody comes. Pure: the same seed and start give the same day.
 */
import { pick, type Random } from './random';
import { CROWDS, type Arrival, type Page } from './site';

export type Moment = {
	/** 1: as busy as on average */
	factor: number;
	/** the share of arrivals that the crowd makes up, and where it comes from */
	crowd?: { share: number; arrival: Arrival; landing: Page };
};

/** A function of milliseconds since the start, which must not decrease from call to call. */
export type Rhythm = (atMs: number) => Moment;

/** Busyness at the full hours 0 to 23: low at night, a first peak before noon, a second in the evening. Mean: 1. */
const HOURS = [
	...[0.6, 0.5, 0.45, 0.45, 0.45, 0.5, 0.65, 0.85, 1.1, 1.3, 1.4, 1.35],
	...[1.2, 1.25, 1.3, 1.3, 1.25, 1.2, 1.15, 1.2, 1.25, 1.2, 1.15, 0.95],
] as const;
const HOUR_MS = 3_600_000;

/** In ordinary times; crowds make up for what is missing to 1. */
const ORDINARY = 0.8;
const QUIET = 0.2;
/** A crowd at its beginning; it ebbs away with the time constant CROWD_EBB_MS. */
const CROWD = 2.5;
const CROWD_EBB_MS = 40_000;
const SPELLS = {
	ordinary: { least: 60_000, most: 180_000 },
	crowd: { least: 90_000, most: 150_000 },
	quiet: { least: 10_000, most: 25_000 },
} as const;
type Spell = keyof typeof SPELLS;

/** No moment is busier. */
export const MAX_FACTOR = Math.max(...HOURS) * (ORDINARY + CROWD);

/** Always as busy as on average: for history that must not depend on the hour. */
export const steady: Rhythm = () => ({ factor: 1 });

/** @param startHour hour of the day at the start, with its fraction: 13.5 is half past one */
export function createRhythm(random: Random, startHour: number): Rhythm {
	let spell: Spell = 'ordinary';
	let began = 0;
	let ends = length(spell);
	let crowd = pick(random, CROWDS);

	function length(of: Spell): number {
		const { least, most } = SPELLS[of];
		return least + random() * (most - least);
	}

	function turn(): void {
		spell =
			spell === 'ordinary'
				? pick(random, [
						['crowd', 1],
						['quiet', 1],
					] as const)
				: 'ordinary';
		if (spell === 'crowd') crowd = pick(random, CROWDS);
		began = ends;
		ends += length(spell);
	}

	return function momentAt(atMs) {
		while (atMs >= ends) turn();
		const hour = byHour(startHour + atMs / HOUR_MS);
		if (spell !== 'crowd') return { factor: hour * (spell === 'quiet' ? QUIET : ORDINARY) };
		const extra = CROWD * Math.exp(-(atMs - began) / CROWD_EBB_MS);
		const weather = ORDINARY + extra;
		return { factor: hour * weather, crowd: { share: extra / weather, ...crowd } };
	};
}

/** Between full hours the day runs straight from one value to the next. */
function byHour(hour: number): number {
	const whole = Math.floor(hour);
	const at = (index: number) => HOURS[((index % 24) + 24) % 24] ?? 1;
	return at(whole) + (at(whole + 1) - at(whole)) * (hour - whole);
}
