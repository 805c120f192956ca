/** Few steps of one colour for counts of any size. Pure. */

const STEPS = 4;

/** The least count of each step, ascending: at most four, the first one is 1. */
export function toSteps(most: number): number[] {
	const steps = Array.from({ length: STEPS }, (_, i) =>
		most <= STEPS ? i + 1 : Math.ceil(most ** (i / STEPS)),
	);
	return [...new Set(steps)].filter((step) => step <= most);
}

/** 0: none; otherwise the number of the step, from 1 on. */
export function toShade(count: number, steps: readonly number[]): number {
	return steps.filter((step) => step <= count).length;
}
