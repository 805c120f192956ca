/**
 * Ends a stream with its viewer, or when the token in its address expires. Why not AbortSignal.any with
 * AbortSignal.timeout: in Node 20 garbage collection removes such a timeout, and the stream never ends.
 */

export type StreamEnd = {
	ended: AbortSignal;
	/** for who does not look any more; safe to call twice */
	leave: () => void;
};

/**
 * @param viewer whose end is the stream's in any case
 * @param tokenEndsAt ms since 1970, within what setTimeout can wait; null: there is no token
 */
export function createStreamEnd(viewer: StreamEnd, tokenEndsAt: number | null): StreamEnd {
	if (tokenEndsAt === null) return viewer;
	const ending = new AbortController();
	const end = () => ending.abort();
	const timer = setTimeout(end, Math.max(0, tokenEndsAt - Date.now()));
	timer.unref();
	viewer.ended.addEventListener('abort', end);
	if (viewer.ended.aborted) end();
	return {
		ended: ending.signal,
		leave() {
			clearTimeout(timer);
			viewer.ended.removeEventListener('abort', end);
			viewer.leave();
		},
	};
}
