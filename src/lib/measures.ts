/**
 * Sum, average, extremes and percentiles of a property, from its values and how often each occurs: the same for the last
 * half hour and for a range. Pure.
 */
import { toNumber } from './filter';
import type { Measures } from './history';

/**
 * Exact: decimals are summed as whole numbers. A percentile is the value of the nearest rank, as Postgres's percentile_disc.
 * @param counts each value once; what is no plain decimal number is left out
 * @returns null: there is no number
 */
export function toMeasures(
	counts: Iterable<readonly [value: string, count: number]>,
): Measures | null {
	const found: { text: string; number: number; count: number }[] = [];
	for (const [text, count] of counts) {
		const number = toNumber(text);
		if (number !== null) found.push({ text, number, count });
	}
	found.sort((a, b) => a.number - b.number);
	const [least, most] = [found[0], found.at(-1)];
	if (!least || !most) return null;
	const count = found.reduce((all, one) => all + one.count, 0);
	const sum = toSum(found);
	const rank = (share: number) => {
		let left = Math.ceil(share * count);
		return (found.find((one) => (left -= one.count) <= 0) ?? most).number;
	};
	return {
		...{ count, sum, avg: sum / count, min: least.number, max: most.number },
		...{ p50: rank(0.5), p95: rank(0.95) },
	};
}

/** The double next to the exact sum: 0.1 three times is 0.3. */
function toSum(values: readonly { text: string; count: number }[]): number {
	const digits = Math.max(...values.map(({ text }) => toFraction(text).length));
	let sum = 0n;
	for (const { text, count } of values) {
		const [whole = ''] = text.split('.');
		sum += BigInt(whole + toFraction(text).padEnd(digits, '0')) * BigInt(count);
	}
	const sign = sum < 0n ? '-' : '';
	const text = String(sum < 0n ? -sum : sum).padStart(digits + 1, '0');
	const point = text.length - digits;
	return Number(`${sign}${text.slice(0, point)}.${text.slice(point)}0`);
}

const toFraction = (text: string) => text.split('.')[1] ?? '';
