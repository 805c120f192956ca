/**
 * Runs work in rounds, each for all callers that came before it began; usually at most one round is
 * pending. After a round it pauses for as long as the round took, so that constant callers get at most half
 * of the time.
 */

/** The longest rest: the crowd behind a slow round has waited long enough. */
const MAX_REST_MS = 1_000;

export type Rounds<T> = {
	/** Settles as the round that takes `one` along; equal keys are one. */
	join(key: string, one: T): Promise<void>;
	/** Resolves when the round that runs now, if one does, is over, however it ended. */
	current(): Promise<unknown>;
};

/**
 * @param toSize what `one` adds to a round
 * @param maxSize of a round; who does not fit waits for the next, but one alone always goes
 */
export function createRounds<T>({
	run,
	toSize,
	maxSize,
}: {
	run: (all: T[]) => Promise<void>;
	toSize: (one: T) => number;
	maxSize: number;
}): Rounds<T> {
	type Round = { all: Map<string, T>; size: number; done: Promise<void> };
	let coming: Round | null = null;
	let current: Promise<unknown> = Promise.resolve();
	/** when the next may begin */
	let free: Promise<unknown> = Promise.resolve();

	function announce(): Round {
		const all = new Map<string, T>();
		let tookMs = 0;
		async function start() {
			if (coming === round) coming = null;
			current = round.done.catch(() => {});
			const begun = performance.now();
			await run([...all.values()]).finally(() => (tookMs = performance.now() - begun));
		}
		const round: Round = {
			all,
			size: 0,
			// a turn of the event loop later, so that who comes in the same breath is served together
			done: free.then(() => new Promise(setImmediate)).then(start),
		};
		free = round.done.catch(() => {}).then(() => rest(Math.min(tookMs, MAX_REST_MS)));
		return round;
	}

	return {
		join(key, one) {
			const size = toSize(one);
			if (!coming || (coming.size > 0 && !coming.all.has(key) && coming.size + size > maxSize))
				coming = announce();
			if (!coming.all.has(key)) coming.size += size;
			coming.all.set(key, one);
			return coming.done;
		},
		current: () => current,
	};
}

const rest = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
