/**
 * One process's reading side, joined together: listener → drain → windows and bus → clients, and the ticks. It owns the
 * state that a page is rendered from. The invariant everything else leans on: `state`, the ring's head and the windows
 * change in one synchronous step, so whoever looks between two steps finds them at the same cursor.
 */
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import {
	COUNT_WINDOW_MS,
	FEED_LENGTH,
	PING_INTERVAL_MS,
	type DashboardState,
	type Ping,
	type StreamEventName,
} from '../protocol';
import { createAggregator, type Aggregator } from './aggregate';
import { createBus, type Bus, type Frame } from './bus';
import { createCatchUp } from './catch-up';
import { atSnapshot, parseCursor, toId, type Cursor } from './cursor';
import { withDeadline } from './deadline';
import { createDrain, HistoryError, verify, type Batch, type Drain } from './drain';
import {
	DEAF_POLL_MS,
	FRAME_INTERVAL_MS,
	POLL_MS,
	startDrainLoop,
	UNWATCHED_POLL_MS,
} from './drain-loop';
import { concat, toActivity, toFrame, toHeartbeat, toMetrics, toReset } from './frames';
import { repairFutureTransactions, settleEpoch } from './history';
import { SELF_PING_MS, startListener } from './listen';
import { readStart, toActivityEvent } from './rows';
import { toOpening } from './sse';
import { createEmptyState, createState, type Source } from './state';
import { createClientStream, type ClientStream, type Joined } from './stream';
import { readPrevious, readSeries, startTicking, type Figures } from './tick';
import { toWindowRow } from './window-row';

export type Instance = {
	/** The whole state at the ring's head: what `reset` would carry now. Takes no query. @param source default: all */
	state(source?: Source): DashboardState;
	status(): Ping;
	/** What is missing before this process can serve; empty when ready. */
	missing(): string[];
	/** A client's body of `text/event-stream`. @param cursor what the client says it has, unparsed */
	open(
		cursor: string | null,
		options?: { wants?: (event: StreamEventName) => boolean; source?: Source },
	): ReadableStream<Uint8Array>;
	clients(): number;
	/** Ends every stream with a `bye` of its own; new ones are ended at once. */
	dismiss(): void;
	stop(): Promise<void>;
};

/** What a native EventSource waits before it comes back; our store has delays of its own. */
const RETRY_MS = 2_000;
/** After a `bye` clients come back spread over this time. */
const BYE_SPREAD_MS = 3_000;
/** Migrations and reading half an hour of events take their time, but not for ever. */
const BEGIN_DEADLINE_MS = 10 * 60_000;
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
	frameIntervalMs = FRAME_INTERVAL_MS,
	bus = createBus(),
}: {
	connect: () => Sql;
	sql: Sql;
	prepare: () => Promise<void>;
	log: Logger;
	frameIntervalMs?: number;
	bus?: Bus;
}): Instance {
	let prepared = false;
	let dismissed = false;
	let drain: Drain | null = null;
	let aggregator: Aggregator | null = null;
	/** the newest cursor in the ring, parsed */
	let published: Cursor | null = null;
	let state = createEmptyState();
	let running = false;
	let clockOffset = 0;
	let broadcastMs = 0;
	const streams = new Set<ClientStream>();
	/** who looks at one source only: source → clients */
	const sources = new Map<string, number>();
	let becameUp: (() => void)[] = [];

	const databaseNow = () => Math.floor(Date.now() + clockOffset);
	const watched = () => streams.size > 0;

	/** publishes, and measures how long the process is busy handing the frame to everyone */
	function broadcast(one: Frame) {
		const start = performance.now();
		bus.publish(one);
		setImmediate(() => (broadcastMs = performance.now() - start));
	}

	/** An answer is never from before the question: the largest difference seen is nearest to the truth; it decays, since clocks drift. */
	function seeClock(at: number) {
		const sample = at - Date.now();
		clockOffset =
			sample > clockOffset || !drain ? sample : clockOffset + (sample - clockOffset) / 64;
	}

	function publish(batch: Batch) {
		published = batch.cursor;
		const id = toId(batch.cursor);
		state.move(id, batch.rows.map(toActivityEvent), sources.keys());
		broadcast(toActivity(batch, state.of, sources.keys(), id));
	}

	/** reads everything anew: at the start, and when the history has changed; clients get a reset */
	async function begin(sql: Sql) {
		if (!prepared) await prepare();
		prepared = true;
		await settleEpoch(sql, published);
		const repaired = await repairFutureTransactions(sql, (rows) =>
			log.info({ rows }, 'rows with transaction ids from the future were given transaction 0'),
		);
		if (repaired > 0) log.info({ repaired }, 'future transactions repaired');
		let fresh: Aggregator | null = null;
		const { head, last, newest } = await readStart(
			sql,
			{ windowMs: COUNT_WINDOW_MS, feedLength: FEED_LENGTH },
			(rows, at) => {
				fresh ??= createAggregator(at);
				for (const row of rows) fresh.add(row);
			},
		);
		const windows = fresh ?? createAggregator(head.at);
		const cursor = atSnapshot(head.epoch ?? '', head.snapshot, last);
		verify(head, cursor);
		const series = await readSeries(sql);
		const previous = await readPrevious(sql, head.at);
		seeClock(head.at);
		aggregator = windows;
		published = cursor;
		drain = createDrain({
			from: cursor,
			begin(head) {
				seeClock(head.at);
				windows.advance(head.at);
			},
			visit: (row) => windows.add(toWindowRow(row)),
			publish,
		});
		const events = newest.map(toActivityEvent);
		state = createState({ aggregator: windows, cursor: toId(cursor), series, previous, events });
		broadcast(toReset(state.of, sources.keys()));
	}

	async function run(sql: Sql): Promise<boolean> {
		const before = bus.head();
		running = true;
		try {
			if (drain) await drain.run(sql);
			else await withDeadline(begin(sql), BEGIN_DEADLINE_MS, 'the first reading');
		} catch (error) {
			if (!(error instanceof HistoryError)) throw error;
			log.warn({ reason: error.message }, 'another history: every client gets a reset');
			drain = null;
			await withDeadline(begin(sql), BEGIN_DEADLINE_MS, 'reading anew');
		} finally {
			running = false;
		}
		return bus.head() !== before;
	}

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
		run,
		pollMs: () =>
			listener.state() === 'deaf' ? DEAF_POLL_MS : watched() ? POLL_MS : UNWATCHED_POLL_MS,
		// a broadcast may take half of the time, not more
		intervalMs: () => Math.max(frameIntervalMs, 2 * broadcastMs),
		onState(now, reason) {
			log[now === 'up' ? 'info' : 'error']({ database: now, reason }, DATABASE_SAYS[now]);
			ping();
			if (now === 'up') {
				for (const go of becameUp) go();
				becameUp = [];
			}
		},
	});

	async function figures(): Promise<Figures | null> {
		if (loop.state() === 'down') return null;
		if (loop.pending() || running) await loop.force();
		if (running || !aggregator || !drain) return null;
		aggregator.advance(databaseNow());
		state.settle(sources.keys());
		const { totals, cursor } = state.of(null);
		return { totals, at: aggregator.at(), cursor };
	}

	const ticking = startTicking({
		sql,
		figures,
		databaseNow,
		onTick(tick, previous) {
			state.tick(tick, previous);
			const metrics = toMetrics(state.of, sources.keys(), false);
			if (metrics) broadcast(metrics);
		},
		onError: (error) => log.warn({ reason: String(error) }, 'a tick was not recorded'),
	});

	function status(): Ping {
		return {
			now: new Date(databaseNow()).toISOString(),
			database: loop.state(),
			listener: listener.state(),
		};
	}

	const ping = () => bus.publish(toHeartbeat(status()));
	const pinging = setInterval(ping, PING_INTERVAL_MS);

	const resets = new Map<Source, { of: DashboardState; frame: Frame }>();
	/** the state at the head; encoded once for all who need it */
	function resetAtHead(source: Source): Joined {
		const of = state.of(source);
		let known = resets.get(source);
		if (known?.of !== of)
			resets.set(source, (known = { of, frame: toFrame('reset', of, of.cursor) }));
		return { frames: [known.frame], position: bus.head() };
	}

	/** what a client missed, and the newest tick; a reset when a frame was not encoded for its source */
	function resume(way: Joined, source: Source): Joined {
		if (source !== null && !way.frames.every(({ bySource }) => bySource?.has(source)))
			return resetAtHead(source);
		const metrics = toMetrics(state.of, source === null ? [] : [source], true);
		return metrics ? { ...way, frames: [...way.frames, metrics] } : way;
	}

	const catchUp = createCatchUp({
		bus,
		connect,
		force: () => loop.force(),
		published: () => published,
		toFrame: (batch) => toActivity(batch, state.of, sources.keys(), toId(batch.cursor)),
	});

	async function join(
		text: string | null,
		source: Source,
		stream: { gone(): boolean },
	): Promise<Joined> {
		// before the first reading there is no state; it will come as a reset
		if (!published) return { frames: [], position: bus.head() };
		const parsed = text === null ? null : parseCursor(text);
		if (!parsed?.ok) return resetAtHead(source);
		const place = bus.find(toId(parsed.cursor));
		if (place !== null) return resume({ frames: bus.since(place), position: bus.head() }, source);
		while (!stream.gone()) {
			try {
				const way = await catchUp(parsed.cursor);
				return way ? resume(way, source) : resetAtHead(source);
			} catch (error) {
				log.warn({ reason: String(error) }, 'a client waits for the database to catch up');
				if (loop.state() === 'down') await new Promise<void>((resolve) => becameUp.push(resolve));
			}
		}
		return resetAtHead(source);
	}

	/** counts who looks at a source: frames are encoded for it as long as somebody does */
	function look(source: Source, by: 1 | -1) {
		if (source === null) return;
		const lookers = (sources.get(source) ?? 0) + by;
		if (lookers > 0) sources.set(source, lookers);
		else sources.delete(source);
		resets.delete(source);
	}

	return {
		state: (source = null) => state.of(source),
		status,
		missing() {
			const missing: string[] = [];
			if (!prepared) missing.push('migrations');
			if (loop.state() === 'down') missing.push('database');
			if (!published) missing.push('first reading');
			if (dismissed) missing.push('shutting down');
			return missing;
		},
		open(cursor, { wants = () => true, source = null } = {}) {
			look(source, 1);
			const stream = createClientStream({
				bus,
				cursor,
				wants,
				pick: (frame) => (source === null ? undefined : frame.bySource?.get(source)) ?? frame.bytes,
				opening: concat(toOpening(RETRY_MS, 'nowboard'), toFrame('ping', status()).bytes),
				join: (cursor, stream) => join(cursor, source, stream),
				bye: () => toFrame('bye', { retryMs: Math.round(Math.random() * BYE_SPREAD_MS) }).bytes,
				onLeave() {
					streams.delete(stream);
					look(source, -1);
				},
			});
			streams.add(stream);
			if (streams.size === 1) {
				// nobody watched: the next look at the table and at NOTIFY may be far off
				loop.ring();
				listener.check();
			}
			if (dismissed) stream.end();
			return stream.body;
		},
		clients: () => streams.size,
		dismiss() {
			dismissed = true;
			for (const stream of streams) stream.end();
		},
		async stop() {
			this.dismiss();
			clearInterval(pinging);
			ticking.stop();
			for (const go of becameUp) go();
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
