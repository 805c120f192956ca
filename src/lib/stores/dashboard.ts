/**
 * The dashboard on the page: the stream's frames applied to what the page was rendered from, the clocks compared, the delay
 * measured. One store update for each frame. Refuses to know how any of it looks.
 * Note: the delay ends when the browser has painted, not when the frame is handled.
 */
import { writable, type Readable } from 'svelte/store';
import type { ActivityEvent, DashboardState, Ping, StreamEvents } from '../protocol';
import {
	toDashboard,
	withActivity,
	withMetrics,
	withPing,
	withPresence,
	withReset,
	type Dashboard,
} from './board';
import { CLOCK_REFRESH_MS, measureOffset } from './clock';
import { createDelay } from './delay';
import { toEnvironment, type Environment } from './environment';
import { createEventStream, type Received, type StreamState } from './event-stream';
import { PARSERS } from './parse';
import { diagnose, fetchStatus } from './status';

export type { Arrival, Dashboard } from './board';

export type DashboardOptions = {
	streamUrl?: string;
	statusUrl?: string;
	/** what the server said of itself when the page was rendered; counts until the first ping */
	status?: Ping;
	maxAttempts?: number;
	/** a frame's payload that could not be read */
	onError?: (reason: string) => void;
	environment?: Environment | null;
	fetch?: typeof fetch;
	/** runs once what is now in the document has been painted */
	afterPaint?: (run: () => void) => void;
};

export type LiveDashboard = {
	state: Readable<Dashboard>;
	connection: Readable<StreamState>;
	retry: () => void;
};

/** The delay on the screen changes at most this often between frames. */
export const DELAY_PUBLISH_MS = 1_000;
/** An event that took longer was not on its way but stamped by its sender or caught up with: no sample. */
export const MAX_SAMPLE_MS = 60_000;

/** @param initial what the page was rendered from; the stream resumes at its cursor, so nothing is missed between the two */
export function createDashboard(
	initial: DashboardState,
	{
		streamUrl = '/api/dashboard/stream',
		statusUrl = '/api/dashboard/status',
		afterPaint = afterNextPaint,
		...options
	}: DashboardOptions = {},
): LiveDashboard {
	const environment = options.environment === undefined ? toEnvironment() : options.environment;
	const fetcher: typeof fetch = (...args) => (options.fetch ?? fetch)(...args);
	const delay = createDelay();
	let board = toDashboard(initial);
	if (options.status) board = withPing(board, options.status);
	/** whether the offset comes from round trips, not from a ping alone */
	let measured = false;
	let publishedAt = 0;
	/** ms epoch of the browser; what was created before it is caught up with, not on its way */
	let liveAt = Infinity;

	const stream = createEventStream<StreamEvents>(
		(cursor) => {
			const query = new URLSearchParams();
			if (cursor) query.set('cursor', cursor);
			for (const clause of initial.filter) query.append('f', clause);
			query.set('by', initial.by.join(','));
			return query.size > 0 ? `${streamUrl}?${query}` : streamUrl;
		},
		{
			parsers: PARSERS,
			cursor: initial.cursor,
			onEvent,
			diagnose: () => diagnose(statusUrl, fetcher),
			environment,
			...(options.maxAttempts !== undefined && { maxAttempts: options.maxAttempts }),
			...(options.onError && { onError: options.onError }),
		},
	);
	if (!environment) return { state: writable(board), connection: stream, retry: stream.retry };
	const { now, after, document } = environment;
	const { subscribe, set } = writable(board, start);
	return { state: { subscribe }, connection: stream, retry: stream.retry };

	function show(next: Dashboard): void {
		publishedAt = now();
		set((board = { ...next, delayMs: delay.median(publishedAt) }));
	}

	function onEvent(...[name, payload, cursor]: Received<StreamEvents>): void {
		if (name === 'reset') show(withReset(board, payload));
		else if (name === 'metrics') show(withMetrics(board, payload));
		else if (name === 'presence') show(withPresence(board, payload.people));
		else if (name === 'ping') {
			const clockOffsetMs = measured ? board.clockOffsetMs : Date.parse(payload.now) - now();
			show({ ...withPing(board, payload), clockOffsetMs });
		} else if (name === 'activity') {
			show(withActivity(board, payload, cursor, now()));
			sample(payload.events);
		}
	}

	/** The newest event of a frame stands for all of it. A hidden page paints nothing, so it measures nothing. */
	function sample(events: ActivityEvent[]): void {
		const createdAt = Math.max(...events.map((event) => Date.parse(event.createdAt)));
		if (document.hidden || !measured || createdAt - board.clockOffsetMs < liveAt) return;
		afterPaint(() => {
			const ms = now() + board.clockOffsetMs - createdAt;
			if (document.hidden || ms > MAX_SAMPLE_MS) return;
			delay.add(now(), ms);
			if (now() - publishedAt >= DELAY_PUBLISH_MS || board.delayMs === null) show(board);
		});
	}

	function start(): () => void {
		let stopped = false;
		let live = false;
		let cancel = (): void => {};
		const compare = async (): Promise<void> => {
			cancel();
			const offset = await measureOffset(() => fetchStatus(statusUrl, fetcher), now);
			if (stopped) return;
			cancel();
			cancel = after(CLOCK_REFRESH_MS, () => void compare());
			if (offset === null) return;
			measured = true;
			show({ ...board, clockOffsetMs: offset });
		};
		const leave = stream.subscribe(({ status }) => {
			if ((status === 'live') === live) return;
			live = status === 'live';
			liveAt = live ? now() : Infinity;
			if (live) void compare();
		});
		return () => {
			stopped = true;
			cancel();
			leave();
		};
	}
}

/** A frame's callback runs before its paint; a task after it runs once the paint is done. */
function afterNextPaint(run: () => void): void {
	requestAnimationFrame(() => {
		const channel = new MessageChannel();
		channel.port1.onmessage = () => {
			channel.port1.close();
			run();
		};
		channel.port2.postMessage(null);
	});
}
