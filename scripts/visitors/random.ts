/** A small random number generator with a seed: the same seed gives the same visitors. Not for secrets. */
export type Random = () => number;

/** mulberry32 (public domain, Tommy Ettinger): numbers from 0 to below 1. */
export function createRandom(seed: number): Random {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
	};
}

/** One of the values, more often those with a greater weight. */
export function pick<T>(
	random: Random,
	choices: readonly (readonly [value: T, weight: number])[],
): T {
	let rest = random() * choices.reduce((sum, [, weight]) => sum + weight, 0);
	for (const [value, weight] of choices) {
		rest -= weight;
		if (rest < 0) return value;
	}
	return choices[choices.length - 1]![0];
}

/** A version 4 uuid in form; from the generator, so it is the same for the same seed. */
export function toUuid(random: Random): string {
	const hex = (length: number) =>
		Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
	return `${hex(8)}-${hex(4)}-4${hex(3)}-${pick(random, [
		['8', 1],
		['9', 1],
		['a', 1],
		['b', 1],
	])}${hex(3)}-${hex(12)}`;
}
