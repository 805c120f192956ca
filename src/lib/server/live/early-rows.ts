/** Rows with a time in the future, until it comes. */

export type EarlyRows<T> = {
	add(time: number, row: T): void;
	/** Takes out the rows whose time has come, in the order of their times. */
	take(now: number): T[];
};

/** Begins empty. `time` is in milliseconds since 1970. */
export function createEarlyRows<T>(): EarlyRows<T> {
	let waiting: { time: number; row: T }[] = [];
	let soonest = Infinity;
	return {
		add(time, row) {
			waiting.push({ time, row });
			soonest = Math.min(soonest, time);
		},
		take(now) {
			if (soonest > now) return [];
			const due = waiting.filter(({ time }) => time <= now).sort((a, b) => a.time - b.time);
			waiting = waiting.filter(({ time }) => time > now);
			soonest = waiting.reduce((least, { time }) => Math.min(least, time), Infinity);
			return due.map(({ row }) => row);
		},
	};
}
