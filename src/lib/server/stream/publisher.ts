/**
 * The reading itself: drains from its position and publishes, or starts over where no position holds. It owns cursor, windows
 * and state. Invariant: the ring's head, the state and the windows change in one synchronous step; while a large transaction is
 * counted, the windows are ahead and the state keeps the figures from before it. When something throws in the middle of such a step, they may disagree: the position is dropped, and the next run starts over with a reset for every client.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import { COUNT_WINDOW_MS } from '../../protocol';
import type { Clock } from '../db/database-clock';
import { withDeadline } from '../db/deadline';
import { readStart } from '../live/read-start';
import { createState, type State } from '../live/state';
import { readPeopleMinutes, readPrevious, type Figures } from '../live/tick';
import { ALL, createViews, toViewKey, type Views, type ViewSpec } from '../live/views';
import { createWindowStore, type WindowStore } from '../live/window-store';
import { atSnapshot, toId, type Cursor } from '../reader/cursor';
import { createDrain, type Batch, type Drain } from '../reader/drain';
import { HistoryError, verify } from '../reader/verify';
import { refuseStandby, repairForeignTransactions, settleEpoch } from '../reader/epoch';
import { toActivityEvent, type Row } from '../reader/row';
import type { Relay } from '../relay/relay';
import { toActivity, toReset } from './frames';
import type { Frame } from './ring';
import type { SkippedRows } from './skipped-rows';
import type { ViewCosts } from './view-costs';
import type { WatchedViews } from './watched-views';

/** Migrations and reading half an hour of events take their time, but not for ever. */
const BEGIN_DEADLINE_MS = 10 * 60_000;
/** Of the parts that are short: a connection that is half open must not hold up a start for minutes. */
const SHORT_DEADLINE_MS = 10_000;
/** Rows deleted one by one cause a new beginning at most this often; until then the figures still count them. */
export const RECOUNT_MS = 1_000;
export const MAX_DELAY_MS = 60_000;
/** After a drain that failed half way, the next one may take a while. */
const AHEAD_MS = 50;

const ALL_KEY = toViewKey(ALL);

/** The figures of one history of the database. */
export type Live = { store: WindowStore; views: Views; state: State };

export type Reading = {
	/**
	 * Begins, or drains; resolves to how many events were published (a reset counts as one). Not to be called while it runs.
	 * @param asked a client waits for what Postgres has now: the relay may not have it yet
	 */
	run(sql: Sql, asked: boolean): Promise<number>;
	running(): boolean;
	/** What `prepare` does is done. */
	prepared(): boolean;
	/** The position of the ring's head; null before the first reading. */
	published(): Cursor | null;
	/** A large transaction is being counted: the figures stand still. */
	counting(): boolean;
	/** null before the first reading */
	live(): Live | null;
	/** Completes the view and admits it to the state; resolves at once before the first reading. */
	open(view: ViewSpec): Promise<void>;
	/** The figures at the database's time now; null while a drain runs, or before the first reading. */
	figures(): Figures | null;
};

/**
 * @param prepare runs before the first reading, until it succeeds: migrations
 * @param watched the views that frames are made for
 * @param broadcast puts a frame into the ring
 * @param skipped notes rows that cannot be shown
 * @param costs notes what views cost
 * @param onRow called with every row that is read, also those of the half hour before the start
 * @param onEvents told, after a frame, how many events it stands for, and how long ago the newest was inserted, in ms of the
 * database's clock; null when that is more than MAX_DELAY_MS: then its sender stamped it, or the database could not be read
 */
export function createReading({
	prepare,
	clock,
	watched,
	broadcast,
	onEvents,
	onRow = () => {},
	skipped,
	costs,
	relay = null,
	log,
}: {
	prepare: () => Promise<void>;
	clock: Clock;
	watched: WatchedViews;
	broadcast: (frame: Frame) => void;
	onEvents: (count: number, delayMs: number | null) => void;
	onRow?: (row: Pick<Row, 'source' | 'sessionId' | 'createdAt'>) => void;
	skipped: SkippedRows;
	costs: Pick<ViewCosts, 'opened' | 'framed'>;
	/** where events may come from instead, and where they are told to others */
	relay?: Relay | null;
	log: Logger;
}): Reading {
	let prepared = false;
	let running: Promise<void> | null = null;
	let delivered = 0;
	let drain: Drain | null = null;
	let live: Live | null = null;
	/** what the ring's head stands for: the drain's own position, but while a drain runs */
	let published: Cursor | null = null;

	function publish({ state }: Live, batch: Batch) {
		published = batch.cursor;
		relay?.move(published);
		const id = toId(batch.cursor);
		const began = performance.now();
		state.move(id, batch.rows.map(toActivityEvent), batch.isCounting);
		const frame = toActivity(batch, state, watched, id);
		costs.framed(frame.byView?.own.size ?? 0, performance.now() - began);
		broadcast(frame);
		const delayMs = clock.now() - Math.max(...batch.rows.map(({ createdAt }) => createdAt));
		const known = delayMs <= MAX_DELAY_MS ? Math.max(0, delayMs) : null;
		onEvents(batch.rows.length + batch.omitted.size, known);
	}

	async function readStore(sql: Sql) {
		let store: WindowStore | null = null;
		const start = await readStart(sql, { windowMs: COUNT_WINDOW_MS }, (rows, at) => {
			store ??= createWindowStore(at);
			for (const row of rows) {
				store.add(row);
				onRow(row);
			}
		});
		return { ...start, store: store ?? createWindowStore(start.head.at) };
	}

	/** A store with a view for each that is watched. */
	async function readLive(sql: Sql) {
		const { head, last, newest, store } = await readStore(sql);
		const cursor = atSnapshot(head.epoch ?? '', head.snapshot, last);
		verify(head, cursor);
		const previous = await readPrevious(sql, head.at);
		const peopleMinutes = await readPeopleMinutes(sql, head.at);
		const views = createViews(store);
		const opened = await Promise.all([ALL, ...watched.specs()].map((spec) => views.open(spec)));
		for (const row of newest) skipped.note(row);
		const events = newest.filter(({ fault }) => fault === null).map(toActivityEvent);
		const state = createState({
			...{ store, views, cursor: toId(cursor), previous, peopleMinutes, events },
		});
		for (const one of opened) state.admit(one);
		return { head, cursor, live: { store, views, state } };
	}

	/**
	 * Reads everything again: at the start, and when the history has changed; every client gets a reset. Nothing changes
	 * before all is built.
	 */
	async function begin(sql: Sql) {
		if (!prepared) {
			await prepare();
			await refuseStandby(sql);
		}
		prepared = true;
		await withDeadline(settleEpoch(sql, published), SHORT_DEADLINE_MS, 'settling the epoch');
		await repairForeignTransactions(sql, (rows) =>
			log.info({ rows }, 'rows with transaction ids of another cluster were given transaction 0'),
		);
		const { head, cursor, live: fresh } = await readLive(sql);
		const { store, views, state } = fresh;
		clock.see(head.at);
		const begun = performance.now();
		const from = createDrain({
			from: cursor,
			views: () => [...state.all()].map(({ open }) => open),
			begin(head) {
				if (head.recount && performance.now() - begun > RECOUNT_MS)
					throw new HistoryError('rows that the figures or the feed hold were deleted');
				clock.see(head.at);
				store.advance(head.at);
			},
			visit(row) {
				delivered++;
				relay?.saw(row);
				if (row.fault !== null) skipped.note(row);
				if (!Number.isFinite(row.createdAt)) return;
				store.add(row);
				onRow(row);
			},
			publish: (batch) => publish(fresh, batch),
		});
		watched.renew((key) => state.shown(key) !== undefined);
		for (const { open } of state.all()) watched.admit(open.key);
		const reset = toReset(state, watched);
		live?.views.close();
		live = fresh;
		published = cursor;
		relay?.begin(cursor);
		broadcast(reset);
		views.sweep(watched.isWatched);
		// last: a broadcast that threw leaves no position, and the next run starts over
		drain = from;
		delivered++;
	}

	async function drainOrBegin(sql: Sql, asked: boolean) {
		try {
			if (drain) {
				if (!relay?.pass(drain) || asked || drain.ahead()) await drain.run(sql);
				// also when nothing was there to publish: holes may have ended without a row
				published = drain.cursor();
				relay?.move(published);
				return;
			}
		} catch (error) {
			if (error instanceof HistoryError)
				log.warn({ reason: error.message }, 'another history: every client gets a reset');
			else if (drain?.sound()) throw error;
			else log.error({ error }, 'reading failed half way: every client gets a reset');
			drain = null;
		}
		await withDeadline(begin(sql), BEGIN_DEADLINE_MS, 'the first reading');
	}

	return {
		async run(sql, asked) {
			delivered = 0;
			running = drainOrBegin(sql, asked).finally(() => (running = null));
			await running;
			return delivered;
		},
		running: () => running !== null,
		prepared: () => prepared,
		published: () => published,
		counting: () => drain?.counting() ?? false,
		live: () => live,
		async open(view) {
			while (live) {
				const now = live;
				const isNew = now.state.shown(toViewKey(view)) === undefined;
				const open = await now.views.open(view);
				if (isNew) costs.opened(open.scanMs);
				// between its steps a drain has moved the windows beyond the ring's head
				while (running || drain?.ahead()) await (running?.catch(() => {}) ?? pause(AHEAD_MS));
				if (live !== now) continue;
				now.state.admit(open);
				return;
			}
		},
		figures() {
			if (running || !live || !drain || drain.ahead()) return null;
			const { store, state, views } = live;
			const whole = drain;
			// what throws below leaves no position: windows that moved half way must not be shown
			drain = null;
			store.advance(clock.now());
			views.sweep(watched.isWatched);
			state.settle();
			const all = state.shown(ALL_KEY);
			drain = whole;
			return all ? { totals: all.figures.totals, at: store.at(), cursor: state.cursor() } : null;
		},
	};
}
