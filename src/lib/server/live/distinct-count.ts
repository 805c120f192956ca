/**
 * How many different keys were seen in the last `width` milliseconds, exactly: distinct over the whole window, never a sum.
 * Each key waits in the bucket of one second; when that second leaves the window the key is dropped or, if it
 * was seen again meanwhile, moved to the second of its newest time.
 */
export type Distinct = {
	/** A key seen at `time`, at the present `now`; too old ones are ignored. */
	add(key: string, time: number, now: number): void;
	advance(now: number): void;
	size(): number;
};

export function createDistinct(width: number): Distinct {
	const newest = new Map<string, number>();
	const buckets = new Map<number, string[]>();
	let oldest = Number.POSITIVE_INFINITY;

	function wait(key: string, time: number) {
		const second = Math.floor(time / 1000);
		const bucket = buckets.get(second);
		if (bucket) bucket.push(key);
		else buckets.set(second, [key]);
		oldest = Math.min(oldest, second);
	}

	return {
		add(key, time, now) {
			if (time <= now - width) return;
			const known = newest.get(key);
			if (known === undefined) wait(key, time);
			if (known === undefined || time > known) newest.set(key, time);
		},
		advance(now) {
			const limit = now - width;
			const last = Math.floor(limit / 1000);
			const first = oldest;
			// the second that holds the limit leaves in part: it is visited again next time
			oldest = Math.max(oldest, last);
			for (let second = first; second <= last; second++) {
				const bucket = buckets.get(second);
				if (!bucket) continue;
				buckets.delete(second);
				for (const key of bucket) {
					const time = newest.get(key) as number;
					if (time <= limit) newest.delete(key);
					else wait(key, time);
				}
			}
		},
		size: () => newest.size,
	};
}
