/**
 * Readings of the table that pages ask for: a bounded number at a time, each with a deadline. A deadline is no bound, because
 * abandoned queries stay in the driver's queue: a reading counts until it ends, or is given up.
 */
import { withDeadline } from '../db/deadline';

/** A query may never settle (deadline.ts): it counts for so long. */
const GIVEN_UP_MS = 60_000;

/** As many readings are under way as may be. */
export class BusyError extends Error {
	constructor() {
		super('as much is being read as may be');
		this.name = 'BusyError';
	}
}

export type Readings = {
	isFull(): boolean;
	/** @throws BusyError, a DeadlineError, or what `read` throws */
	run<T>(read: () => Promise<T>): Promise<T>;
};

/** @param most at a time @param what for errors: "history" */
export function createReadings(most: number, deadlineMs: number, what: string): Readings {
	let underWay = 0;
	const isFull = () => underWay >= most;
	return {
		isFull,
		run(read) {
			if (isFull()) return Promise.reject(new BusyError());
			const reading = read();
			underWay++;
			let over = false;
			const end = () => {
				if (!over) underWay--;
				over = true;
				clearTimeout(timer);
			};
			const timer = setTimeout(end, GIVEN_UP_MS);
			timer.unref();
			reading.then(end, end);
			return withDeadline(reading, deadlineMs, what);
		},
	};
}
