/**
 * One process's reading side, joined together: listener → drain → bus → clients, and the ticks. It owns timers and
 * clients; what is read and shown is reading.ts, how a client gets in join.ts.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import {
	PING_INTERVAL_MS,
	type DashboardState,
	type DatabaseTrouble,
	type Ping,
	type StreamEventName,
} from '../protocol';
import { createBus, type Bus, type Frame } from './bus';
import { createCatchUp } from './catch-up';
import { createClock } from './clock';
import {
	DEAF_POLL_MS,
	FRAME_INTERVAL_MS,
	POLL_MS,
	REST_PER_EVENT_MS,
	startDrainLoop,
	UNWATCHED_POLL_MS,
} from './drain-loop';
import { concat, pickFor, toActivityOf, toFrame, toHeartbeat, toMetrics } from './frames';
import { createJoin } from './join';
import { SELF_PING_MS, startListener } from './listen';
import { createReading } from './reading';
import { toOpening } from './sse';
import type { Source } from './state';
import { createClientStream, GRACE_MS, type ClientStream, type StreamContext } from './stream';
import { startTicking } from './tick';
import { explain } from './explain';

export type Instance = {
	/** The whole state at the ring's head: what `reset` would carry now. Takes no query. @param source default: all */
	state(source?: Source): DashboardState;
	status(): Ping;
	/** Tells every client the status now, instead of with the next ping. */
	announce(): void;
	/** What is missing before this process can serve; empty when ready. */
	missing(): string[];
	/**
	 * A client's body of `text/event-stream`.
	 * @param cursor what the client says it has, unparsed
	 */
	open(cursor: string | null, options?: OpenOptions): ReadableStream<Uint8Array>;
	clients(): number;
	/** Ends every stream with a `bye` of its own, a slice at a time, within DISMISS_MS; new ones are ended at once. */
	dismiss(): void;
	stop(): Promise<void>;
};

export type OpenOptions = {
	wants?: (event: StreamEventName) => boolean;
	source?: Source;
	/** breaks the connection, if the answer is still under way */
	sever?: () => void;
};

/** What a native EventSource waits before it comes back; our store has delays of its own. */
const RETRY_MS = 2_000;
/** A broadcast that took longer was not busy: the machine slept in the middle of it. */
const MAX_REST_MS = 1_000;
/** After a `bye` clients come back spread over this time. */
const BYE_SPREAD_MS = 3_000;
/** A process that is told to end sends its clients away within this time, so that they do not arrive elsewhere all at once. */
const DISMISS_MS = 3_000;
const SLICE_MS = 100;
/** At least so many at once: a handful of clients does not hold up a restart. */
const MIN_SLICE = 100;
/** A dismissed client that does not take its farewell must not hold up the end of the process. */
const LAST_GRACE_MS = 3_000;
/** While nobody watches, the listener is checked as rarely as the table. */
const UNWATCHED_PING_MS = 60_000;

/**
 * Starts reading; returns at once and begins when the database answers.
 * @param connect makes a client on the direct connection (LISTEN and snapshots do not survive a pooler)
 * @param sql a pooled client for the ticks
 * @param prepare runs before the first read, retried until it succeeds: migrations
 */
export function startInstance({
	connect,
	sql,
	prepare,
	log,
	writing = () => null,
	onTickFailed = () => {},
	frameIntervalMs = FRAME_INTERVAL_MS,
	graceMs = GRACE_MS,
	bus = createBus(),
}: {
	connect: () => Sql;
	sql: Sql;
	prepare: () => Promise<void>;
	log: Logger;
	/** why events are refused now, to be told beside what is known here */
	writing?: () => DatabaseTrouble | null;
	/** a tick could not be written */
	onTickFailed?: () => void;
	frameIntervalMs?: number;
	/** how long an ended client may take to read the rest */
	graceMs?: number;
	bus?: Bus;
}): Instance {
	let dismissed = false;
	let broadcastMs = 0;
	const streams = new Set<ClientStream>();
	/** who looks at one source only: source → clients */
	const sources = new Map<string, number>();
	let waiting: (() => void)[] = [];
	const clock = createClock();
	/** What is begun in the context of a request (streams, timers) keeps all that SvelteKit has made for it, for as long as it lasts: 5 KB. */
	const outside = AsyncLocalStorage.snapshot();
	const watched = () => streams.size > 0;

	/** publishes, and measures how long the process is busy handing the frame to everyone */
	function broadcast(one: Frame) {
		const start = performance.now();
		bus.publish(one);
		setImmediate(() => (broadcastMs = performance.now() - start));
	}

	const reading = createReading({
		prepare,
		clock,
		sources: () => sources.keys(),
		broadcast,
		log,
	});

	const listener = startListener({
		connect,
		onBell: () => loop.ring(),
		onState(now, reason) {
			log[now === 'up' ? 'info' : 'warn']({ listener: now, reason }, LISTENER_SAYS[now]);
			ping();
		},
		pingMs: () => (watched() ? SELF_PING_MS : UNWATCHED_PING_MS),
	});

	const loop = startDrainLoop({
		connect,
		run: (sql) => reading.run(sql),
		pollMs: () =>
			listener.state() === 'deaf' ? DEAF_POLL_MS : watched() ? POLL_MS : UNWATCHED_POLL_MS,
		// a broadcast may take half of the time, not more
		restMs: (events) =>
			Math.max(
				Math.min(frameIntervalMs, REST_PER_EVENT_MS * events),
				Math.min(2 * broadcastMs, MAX_REST_MS),
			),
		onState(now, reason) {
			log[now === 'up' ? 'info' : 'error'](
				{ database: now, trouble: loop.trouble(), reason },
				DATABASE_SAYS[now],
			);
			ping();
			if (now === 'up') release();
		},
		explain: (error) => explain(error, connect),
	});
	const becomesUp = () => new Promise<void>((resolve) => waiting.push(resolve));
	function release() {
		for (const go of waiting) go();
		waiting = [];
	}

	const ticking = startTicking({
		sql,
		databaseNow: () => clock.now(),
		async figures() {
			if (loop.state() === 'down') return null;
			if (loop.pending() || reading.running()) await loop.force();
			return reading.figures();
		},
		onTick(tick, previous) {
			const state = reading.state();
			state.tick(tick, previous);
			const metrics = toMetrics(state.of, sources.keys(), false);
			if (metrics) broadcast(metrics);
		},
		onError(error) {
			log.warn({ reason: String(error) }, 'a tick was not recorded');
			onTickFailed();
		},
	});

	function status(): Ping {
		return {
			now: new Date(clock.now()).toISOString(),
			database: loop.state(),
			listener: listener.state(),
			reading: loop.trouble(),
			writing: writing(),
		};
	}

	const ping = () => bus.publish(toHeartbeat(status()));
	const pinging = setInterval(ping, PING_INTERVAL_MS);

	const stateOf = (source: Source) => reading.state().of(source);
	const join = createJoin({
		bus,
		state: stateOf,
		begun: () => reading.published() !== null,
		begins: becomesUp,
		catchUp: createCatchUp({
			bus,
			connect,
			force: () => loop.force(),
			published: () => reading.published(),
			encode: (batch, source, id) => toActivityOf(source, batch, stateOf, id),
		}),
		async failed(error) {
			log.warn({ reason: String(error) }, 'a client waits for the database to catch up');
			if (loop.state() === 'down') await becomesUp();
		},
	});

	const context: StreamContext = {
		bus,
		opening: () => concat(toOpening(RETRY_MS, 'nowboard'), toFrame('ping', status()).bytes),
		bye: () => toFrame('bye', { retryMs: Math.round(Math.random() * BYE_SPREAD_MS) }).bytes,
		graceMs,
	};

	/** counts who looks at a source: frames are encoded for it as long as somebody does */
	function look(source: Source, by: 1 | -1) {
		if (source === null) return;
		const lookers = (sources.get(source) ?? 0) + by;
		if (lookers > 0) sources.set(source, lookers);
		else sources.delete(source);
	}

	function open(
		cursor: string | null,
		{ wants = () => true, source = null, sever }: OpenOptions = {},
	): ReadableStream<Uint8Array> {
		look(source, 1);
		const stream = createClientStream(context, {
			cursor,
			wants,
			join: (cursor, stream) => join(cursor, source, stream),
			onLeave() {
				streams.delete(stream);
				look(source, -1);
			},
			...(source !== null && { pick: (frame: Frame) => pickFor(frame, source) }),
			...(sever && { sever }),
		});
		streams.add(stream);
		if (streams.size === 1) {
			// nobody watched: the next look at the table and at NOTIFY may be far off
			loop.ring();
			listener.check();
		}
		if (dismissed) stream.end(LAST_GRACE_MS);
		return stream.body;
	}

	return {
		state: (source = null) => stateOf(source),
		status,
		announce: () => ping(),
		missing() {
			const missing: string[] = [];
			if (!reading.prepared()) missing.push('migrations');
			if (loop.state() === 'down') missing.push('database');
			if (!reading.published()) missing.push('first reading');
			if (dismissed) missing.push('shutting down');
			return missing;
		},
		open: (cursor, options) => outside(open, cursor, options),
		clients: () => streams.size,
		dismiss() {
			if (dismissed) return;
			dismissed = true;
			const leaving = [...streams];
			const slice = Math.max(MIN_SLICE, Math.ceil((leaving.length * SLICE_MS) / DISMISS_MS));
			(function next() {
				for (const stream of leaving.splice(0, slice)) stream.end(LAST_GRACE_MS);
				if (leaving.length > 0) setTimeout(next, SLICE_MS);
			})();
		},
		async stop() {
			dismissed = true;
			for (const stream of streams) stream.end(LAST_GRACE_MS);
			clearInterval(pinging);
			ticking.stop();
			release();
			await Promise.all([listener.stop(), loop.stop()]);
		},
	};
}

const LISTENER_SAYS = {
	up: 'NOTIFY arrives',
	deaf: 'NOTIFY does not arrive; polling instead. Behind a pooler, set DATABASE_DIRECT_URL to the direct address',
};
const DATABASE_SAYS = {
	up: 'the database answers',
	down: 'the database does not answer; trying again',
};
