/**
 * Repeats work in the background, never twice at once. An error is reported, and the work retried next
 * time.
 */

export type Repeating = {
	/** Begins nothing more; resolves when what runs has ended. */
	stop(): Promise<void>;
};

/**
 * @param everyMs from the end of one to the begin of the next
 * @param run takes `signal`, aborted by `stop`, to end early
 */
export function startRepeating({
	everyMs,
	run,
	onError,
}: {
	everyMs: number;
	run: (signal: AbortSignal) => Promise<unknown>;
	onError: (error: unknown) => void;
}): Repeating {
	const stopping = new AbortController();
	let running: Promise<void> = Promise.resolve();
	let timer: ReturnType<typeof setTimeout>;

	async function once() {
		try {
			await run(stopping.signal);
		} catch (error) {
			if (!stopping.signal.aborted) onError(error);
		}
		plan();
	}
	function plan() {
		if (!stopping.signal.aborted) timer = setTimeout(() => (running = once()), everyMs);
	}
	plan();

	return {
		stop() {
			stopping.abort();
			clearTimeout(timer);
			return running;
		},
	};
}
