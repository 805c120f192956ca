/** Ends the process on SIGTERM and SIGINT, and what runs in it when the server or the development server says so. */
import type { Logger } from 'pino';

/** After the signal: streams have ended by then, and requests that are not answered yet will not be. */
const CUT_MS = 8_000;
/** Even when something hangs: before most platforms kill the process. */
const EXIT_MS = 10_000;

/**
 * @param dismiss ends the streams: the HTTP server stops accepting at the same signal and waits for open connections
 * @param end ends everything; called once
 * @returns `end`, to be called earlier
 */
export function endOnSignals({
	log,
	dismiss,
	end,
}: {
	log: Logger;
	dismiss: () => void;
	end: () => Promise<void>;
}): () => Promise<void> {
	let stopped: Promise<void> | undefined;

	function stop(): Promise<void> {
		process.off('SIGTERM', onSignal);
		process.off('SIGINT', onSignal);
		process.off('sveltekit:shutdown', stop);
		return (stopped ??= end());
	}
	function onSignal() {
		log.info('shutting down: ending the streams');
		dismiss();
		setTimeout(() => void stop().then(() => process.exit(0)), CUT_MS).unref();
		setTimeout(() => process.exit(1), EXIT_MS).unref();
	}
	process.once('SIGTERM', onSignal);
	process.once('SIGINT', onSignal);
	process.once('sveltekit:shutdown', stop);
	return stop;
}
