/**
 * One process's reading side, joined together: listener → drain → ring → clients, and the ticks. Reading and publishing is
 * publisher.ts, the open streams are clients.ts, how a client joins is subscribe.ts.
 */
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import type { Dimension } from '../../dimensions';
import type { Condition } from '../../filter';
import { PING_INTERVAL_MS, type DashboardState, type Ping, type Values } from '../../protocol';
import { createBus, type Bus, type Frame } from './ring';
import { createCatchUp } from './catch-up';
import { createClients, type Clients } from './clients';
import { createClock } from '../db/database-clock';
import {
	DEAF_POLL_MS,
	FRAME_INTERVAL_MS,
	POLL_MS,
	REST_PER_EVENT_MS,
	startDrainLoop,
	UNWATCHED_POLL_MS,
} from '../reader/drain-loop';
import { concat, encode, pickFor, toActivityOf, toHeartbeat, toMetrics } from './frames';
import { createSubscribe } from './subscribe';
import { SELF_PING_MS, startListener } from '../reader/listener';
import { createReading, type Live } from './publisher';
import { createWatchedViews } from './watched-views';
import { createEmptyState, type Shown } from '../live/state';
import { ALL, toViewKey, type ViewSpec } from '../live/views';
import { createSkippedRows, type SkippedRows } from './skipped-rows';
import { toOpening } from './sse';
import { GRACE_MS, type EndReason } from './client-stream';
import { startTicking } from '../live/tick';
import { explain, type Diagnosis } from '../db/diagnose';
import { logTrouble } from '../db/trouble-log';

export type Instance = {
	/** Scans the view if no client watched it; resolves at once before the first reading. */
	ready(view: ViewSpec): Promise<void>;
	/**
	 * The whole state of a view at the ring's head: what `reset` would carry now. Takes no query. Empty before the first
	 * reading, and when the view is not ready.
	 * @param view default: everything
	 */
	state(view?: ViewSpec): DashboardState;
	/**
	 * The values of a dimension in a view that have `text` in them, the most frequent first. Counts may be a moment ahead
	 * of the frames.
	 */
	values(asked: Condition, dimension: Dimension, text: string, length: number): Promise<Values>;
	/** The view is there, or is about to be: showing it costs nothing more. */
	knows(view: ViewSpec): boolean;
	/** How many different views clients watch. */
	watchedViews(): number;
	status(): Ping;
	/** Tells every client the status now, instead of with the next ping. */
	announce(): void;
	/** Looks at the table and at NOTIFY now, instead of when it is due: while no client watches, that is rarely. */
	look(): void;
	/** What is missing before this process can serve; empty when ready. */
	missing(): string[];
	/**
	 * A client's body of `text/event-stream`.
	 * @param cursor what the client says it has, unparsed
	 */
	open: Clients['open'];
	/** What happened since the start, and what is there now. */
	counts(): Counts;
	/** Rows that no page can show, since the start. */
	skipped: Pick<SkippedRows, 'count' | 'part'>;
	/** Sends every client away with a `bye` of its own, a slice at a time; new ones at once. */
	dismiss: Clients['dismiss'];
	stop(): Promise<void>;
};

export type Counts = {
	clients: number;
	/** put into the ring, and their bytes, once for all clients */
	frames: number;
	bytes: number;
	/** clients that were given the whole state */
	resets: number;
	/** streams that ended, by why */
	ended: Record<EndReason, number>;
	ringFrames: number;
	ringBytes: number;
	drains: number;
	/** published since the first reading, also those that frames omit */
	events: number;
	/** of the last drain that succeeded */
	drainMs: number | null;
	/** when the last drain succeeded, and when a tick was last recorded: as `performance.now()` says; null: not yet */
	drainedAt: number | null;
	tickedAt: number | null;
};

/** What a native EventSource waits before it comes back; our store has delays of its own. */
const RETRY_MS = 2_000;
/** A broadcast that took longer was not busy: the machine slept in the middle of it. */
const MAX_REST_MS = 1_000;
/** After a `bye` clients come back spread over this time. */
const BYE_SPREAD_MS = 3_000;
/** While no client watches, the listener is checked as rarely as the table. */
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
	onDrain = () => {},
	onDelay = () => {},
	frameIntervalMs = FRAME_INTERVAL_MS,
	graceMs = GRACE_MS,
	bus = createBus(),
}: {
	connect: () => Sql;
	sql: Sql;
	prepare: () => Promise<void>;
	log: Logger;
	/** why events are refused now, to be told beside what is known here */
	writing?: () => Diagnosis | null;
	/** a tick could not be written */
	onTickFailed?: () => void;
	/** a drain succeeded, and took so long */
	onDrain?: (ms: number) => void;
	/** events were published so long after the newest of them was inserted */
	onDelay?: (ms: number) => void;
	frameIntervalMs?: number;
	/** how long an ended client may take to read the rest */
	graceMs?: number;
	bus?: Bus;
}): Instance {
	let broadcastMs = 0;
	const counts: Omit<Counts, keyof ReturnType<Clients['counts']> | 'ringFrames' | 'ringBytes'> = {
		frames: 0,
		bytes: 0,
		drains: 0,
		events: 0,
		drainMs: null,
		drainedAt: null,
		tickedAt: null,
	};
	let waiting: (() => void)[] = [];
	const clock = createClock();
	const isWatched = () => clients.size() > 0;
	const watched = createWatchedViews();
	// a page is rendered before its stream comes: frames are made for it meanwhile
	watched.watch(ALL);

	function put(one: Frame) {
		bus.publish(one);
		counts.frames++;
		counts.bytes += one.bytes.byteLength;
	}

	/** publishes, and measures how long the process is busy handing the frame to everyone */
	function broadcast(one: Frame) {
		const start = performance.now();
		put(one);
		setImmediate(() => (broadcastMs = performance.now() - start));
	}

	const skipped = createSkippedRows(log);
	const reading = createReading({
		prepare,
		clock,
		watched,
		broadcast,
		onEvents(count, delayMs) {
			counts.events += count;
			if (delayMs !== null) onDelay(delayMs);
		},
		skipped,
		log,
	});

	const listener = startListener({
		connect,
		onBell: () => loop.ring(),
		onState(now, reason, answered) {
			log[now === 'up' ? 'info' : 'warn'](
				{ listener: now, reason },
				answered ? LISTENER_SAYS[now] : 'LISTEN failed; trying again',
			);
			ping();
		},
		pingMs: () => (isWatched() ? SELF_PING_MS : UNWATCHED_PING_MS),
	});

	const loop = startDrainLoop({
		connect,
		async run(sql) {
			const start = performance.now();
			const events = await reading.run(sql);
			counts.drains++;
			counts.drainedAt = performance.now();
			counts.drainMs = counts.drainedAt - start;
			onDrain(counts.drainMs);
			return events;
		},
		pollMs: () =>
			listener.state() === 'deaf' ? DEAF_POLL_MS : isWatched() ? POLL_MS : UNWATCHED_POLL_MS,
		// a broadcast may take half of the time, not more
		restMs: (events) =>
			Math.max(
				Math.min(frameIntervalMs, REST_PER_EVENT_MS * events),
				Math.min(2 * broadcastMs, MAX_REST_MS),
			),
		onState(now, error) {
			if (now === 'up') log.info({ database: now }, 'the database answers');
			// a client that is not used opens no connection
			else logTrouble(log, connect().options, loop.trouble(), error, 'the database cannot be used');
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
			counts.tickedAt = performance.now();
			const live = reading.live();
			if (!live) return;
			live.state.setPrevious(previous);
			broadcast(toMetrics(live.state, watched, tick, previous));
		},
		onError(error) {
			log.warn({ reason: String(error) }, 'a tick was not recorded');
			onTickFailed();
		},
	});

	function status(): Ping {
		const [reading, refusing] = [loop.trouble(), writing()];
		const fix = reading?.fix ?? refusing?.fix ?? null;
		return {
			now: new Date(clock.now()).toISOString(),
			database: loop.state(),
			listener: listener.state(),
			reading: reading?.trouble ?? null,
			writing: refusing?.trouble ?? null,
			...(fix === null ? {} : { fix }),
		};
	}

	const ping = () => put(toHeartbeat(status()));
	const pinging = setInterval(ping, PING_INTERVAL_MS);

	function find(view: ViewSpec): Shown | undefined {
		const shown = reading.live()?.state.shown(toViewKey(view));
		if (shown) watched.admit(shown.open.key);
		return shown;
	}
	async function ready(view: ViewSpec) {
		while (!reading.live()) await becomesUp();
		await reading.open(view);
	}
	const stateOf = (shown: Shown) => (reading.live() as Live).state.of(shown);
	const join = createSubscribe({
		bus,
		find,
		ready,
		state: stateOf,
		catchUp: createCatchUp({
			bus,
			connect,
			force: () => loop.force(),
			published: () => reading.published(),
			encode(batch, open, id) {
				const figures = reading.live()?.state.shown(open.key)?.figures;
				return toActivityOf(open, batch, figures, id);
			},
			isFor: (frame, { key }) => pickFor(frame, key, watched.since(key)) !== null,
		}),
		async failed(error) {
			log.warn({ reason: String(error) }, 'a client waits for the database to catch up');
			if (loop.state() === 'down') await becomesUp();
		},
	});

	function look() {
		loop.ring();
		listener.check();
	}

	const clients = createClients({
		context: {
			bus,
			opening: () => concat(toOpening(RETRY_MS, 'nowboard'), encode('ping', status())),
			bye: () => encode('bye', { retryMs: Math.round(Math.random() * BYE_SPREAD_MS) }),
			graceMs,
		},
		watched,
		join,
		// no client watched: the next look at the table and at NOTIFY may be far off
		onFirst: look,
	});

	return {
		async ready(view) {
			while (reading.live() && !find(view)) await ready(view);
		},
		state(view = ALL) {
			const shown = find(view);
			return shown ? stateOf(shown) : createEmptyState(view);
		},
		async values({ filter, bound = [] }, dimension, text, length) {
			const view = { filter, bound, by: [dimension] };
			while (reading.live() && !find(view)) await ready(view);
			const breakdown = find(view)?.open.view.breakdown(dimension);
			const table = breakdown?.find(text, length) ?? { rows: [], other: 0 };
			return { dimension, ...table, values: breakdown?.size() ?? 0 };
		},
		knows(view) {
			const key = toViewKey(view);
			return watched.isWatched(key) || reading.live()?.state.shown(key) !== undefined;
		},
		watchedViews: () => watched.size(),
		status,
		announce: () => ping(),
		look,
		missing() {
			const missing: string[] = [];
			if (!reading.prepared()) missing.push('migrations');
			if (loop.state() === 'down') missing.push('database');
			if (!reading.published()) missing.push('first reading');
			if (clients.dismissed()) missing.push('shutting down');
			return missing;
		},
		open: clients.open,
		counts: () => ({
			...counts,
			...clients.counts(),
			ringFrames: bus.head() - bus.tail(),
			ringBytes: bus.bytes(),
		}),
		skipped,
		dismiss: clients.dismiss,
		async stop() {
			clients.stop();
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
