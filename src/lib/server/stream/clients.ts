/**
 * The clients that watch: every client's stream from its opening to its end, and the view that it shows.
 * How a client gets in is subscribe.ts, how it is fed client-stream.ts.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { StreamEventName } from '../../protocol';
import type { Frame } from './ring';
import { pickFor } from './frames';
import { ALL, toViewKey, type ViewSpec } from '../live/views';
import type { WatchedViews } from './watched-views';
import {
	createClientStream,
	END_REASONS,
	type ClientStream,
	type EndReason,
	type Joined,
	type StreamContext,
} from './client-stream';

export type OpenOptions = {
	wants?: (event: StreamEventName) => boolean;
	/** what the client shows; default: everything */
	view?: ViewSpec;
	/** breaks the connection, if the answer is still under way */
	sever?: () => void;
	/** ends the stream when it fires */
	until?: AbortSignal;
	/** called once, whichever way the client left */
	onLeave?: (reason: EndReason) => void;
};

/** A process that is told to end sends its clients away within this time, so that they do not arrive elsewhere all at once. */
const DISMISS_MS = 3_000;
const SLICE_MS = 100;
/** At least so many at once: a handful of clients does not hold up a restart. */
const MIN_SLICE = 100;
/** A dismissed client that does not take its farewell must not hold up the end of the process. */
const LAST_GRACE_MS = 3_000;

export type Clients = ReturnType<typeof createClients>;

/**
 * @param options `join` is a client's way in; `onFirst` is called when a client watches and none did before
 */
export function createClients({
	context,
	watched,
	join,
	onFirst,
}: {
	context: StreamContext;
	watched: WatchedViews;
	join: (cursor: string | null, view: ViewSpec, stream: { gone(): boolean }) => Promise<Joined>;
	onFirst: () => void;
}) {
	let dismissed = false;
	let resets = 0;
	const ended = Object.fromEntries(END_REASONS.map((reason) => [reason, 0])) as Record<
		EndReason,
		number
	>;
	const streams = new Set<ClientStream>();
	/** What is begun in the context of a request (streams, timers) keeps all that SvelteKit has made for it, for as long as it lasts: 5 KB. */
	const outside = AsyncLocalStorage.snapshot();

	function open(
		cursor: string | null,
		{ wants = () => true, view = ALL, sever, until, onLeave }: OpenOptions = {},
	): ReadableStream<Uint8Array> {
		const key = toViewKey(view);
		const unwatch = watched.watch(view);
		const stream = createClientStream(context, {
			cursor,
			wants,
			async join(cursor, stream) {
				const way = await join(cursor, view, stream);
				if (way.frames[0]?.event === 'reset') resets++;
				return way;
			},
			onLeave(reason) {
				ended[reason]++;
				streams.delete(stream);
				unwatch();
				if (until) until.removeEventListener('abort', over);
				onLeave?.(reason);
			},
			pick: (frame: Frame) => pickFor(frame, key, watched.since(key)),
			...(sever && { sever }),
		});
		const over = () => stream.end('viewer_ended');
		until?.addEventListener('abort', over);
		streams.add(stream);
		if (streams.size === 1) onFirst();
		if (until?.aborted) over();
		if (dismissed) stream.end('shutdown', LAST_GRACE_MS);
		return stream.body;
	}

	return {
		/** @param cursor what the client says it has, unparsed */
		open: (cursor: string | null, options?: OpenOptions) => outside(open, cursor, options),
		size: () => streams.size,
		/** `resets`: clients that were given the whole state; `ended`: streams that are over, by why. */
		counts: () => ({ clients: streams.size, resets, ended: { ...ended } }),
		dismissed: () => dismissed,
		/** Ends every stream with a `bye` of its own, a slice at a time, within DISMISS_MS; new ones are ended at once. */
		dismiss() {
			if (dismissed) return;
			dismissed = true;
			const leaving = [...streams];
			const slice = Math.max(MIN_SLICE, Math.ceil((leaving.length * SLICE_MS) / DISMISS_MS));
			(function next() {
				for (const stream of leaving.splice(0, slice)) stream.end('shutdown', LAST_GRACE_MS);
				if (leaving.length > 0) setTimeout(next, SLICE_MS);
			})();
		},
		/** Ends what is left, at once. */
		stop() {
			dismissed = true;
			for (const stream of streams) stream.end('shutdown', LAST_GRACE_MS);
		},
	};
}
