/**
 * The reading itself: drains from its position and publishes, or begins anew where no position holds. It owns cursor, windows
 * and state. Invariant: the ring's head, the state and the windows change in one synchronous step. When something throws in the
 * middle of such a step, they may disagree: the position is dropped, and the next run begins anew with a reset for every client.
 */
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import { COUNT_WINDOW_MS, FEED_LENGTH } from '../../protocol';
import { createAggregator, type Aggregator } from '../live/windows';
import type { Frame } from './ring';
import type { Clock } from '../db/database-clock';
import { atSnapshot, toId, type Cursor } from '../reader/cursor';
import { withDeadline } from '../db/deadline';
import { createDrain, HistoryError, verify, type Batch, type Drain } from '../reader/drain';
import { toActivity, toReset } from './frames';
import { refuseStandby, repairForeignTransactions, settleEpoch } from '../reader/epoch';
import { toActivityEvent } from '../reader/row';
import { createEmptyState, createState, type Looked, type State } from '../live/state';
import { readPrevious, readSeries, type Figures } from '../live/tick';
import { toWindowRow } from '../live/window-row';
import { readStart } from '../live/read-start';
import type { SkippedRows } from './skipped-rows';

/** Migrations and reading half an hour of events take their time, but not for ever. */
const BEGIN_DEADLINE_MS = 10 * 60_000;
/** Of the parts that are short: a connection that is half open must not hold up a start for minutes. */
const SHORT_DEADLINE_MS = 10_000;
/** Rows deleted one by one cause a new beginning at most this often; until then the figures still count them. */
export const RECOUNT_MS = 1_000;
export const MAX_DELAY_MS = 60_000;

export type Reading = {
	/** Begins, or drains; resolves to how many events were published (a reset counts as one). Not to be called while it runs. */
	run(sql: Sql): Promise<number>;
	running(): boolean;
	/** What `prepare` does is done. */
	prepared(): boolean;
	/** The position of the ring's head; null before the first reading. */
	published(): Cursor | null;
	state(): State;
	/** The figures at the database's time now; null while a drain runs, or before the first reading. */
	figures(): Figures | null;
};

/**
 * @param prepare runs before the first reading, until it succeeds: migrations
 * @param looked the sources that somebody looks at
 * @param broadcast puts a frame into the ring
 * @param skipped notes rows that cannot be shown
 * @param onEvents told, after a frame, how many events it stands for, and how long ago the newest was inserted, in ms of the database's
 * clock; null when that is more than MAX_DELAY_MS: then it was stamped by its sender, or nobody could read
 */
export function createReading({
	prepare,
	clock,
	looked,
	broadcast,
	onEvents,
	skipped,
	log,
}: {
	prepare: () => Promise<void>;
	clock: Clock;
	looked: () => Looked;
	broadcast: (frame: Frame) => void;
	onEvents: (count: number, delayMs: number | null) => void;
	skipped: SkippedRows;
	log: Logger;
}): Reading {
	let prepared = false;
	let running = false;
	let delivered = 0;
	let drain: Drain | null = null;
	let windows: Aggregator | null = null;
	/** what the ring's head stands for: the drain's own position, but while a drain runs */
	let published: Cursor | null = null;
	let state = createEmptyState();

	function publish(batch: Batch) {
		published = batch.cursor;
		const id = toId(batch.cursor);
		state.move(id, batch.rows.map(toActivityEvent), looked());
		broadcast(toActivity(batch, state, looked().sources, id));
		const delayMs = clock.now() - Math.max(...batch.rows.map(({ createdAt }) => createdAt));
		const known = delayMs <= MAX_DELAY_MS ? Math.max(0, delayMs) : null;
		onEvents(batch.rows.length + batch.omitted.size, known);
	}

	async function readWindows(sql: Sql) {
		let fresh: Aggregator | null = null;
		const start = await readStart(
			sql,
			{ windowMs: COUNT_WINDOW_MS, feedLength: FEED_LENGTH },
			(rows, at) => {
				fresh ??= createAggregator(at);
				for (const row of rows) fresh.add(row);
			},
		);
		return { ...start, aggregator: fresh ?? createAggregator(start.head.at) };
	}

	/** reads everything anew: at the start, and when the history has changed; clients get a reset. Nothing changes before all is built */
	async function begin(sql: Sql) {
		if (!prepared) {
			await refuseStandby(sql);
			await prepare();
		}
		prepared = true;
		await withDeadline(settleEpoch(sql, published), SHORT_DEADLINE_MS, 'settling the epoch');
		await repairForeignTransactions(sql, (rows) =>
			log.info({ rows }, 'rows with transaction ids of another cluster were given transaction 0'),
		);
		const { head, last, newest, aggregator } = await readWindows(sql);
		const cursor = atSnapshot(head.epoch ?? '', head.snapshot, last);
		verify(head, cursor);
		const series = await readSeries(sql);
		const previous = await readPrevious(sql, head.at);
		clock.see(head.at);
		const begun = performance.now();
		const from = createDrain({
			from: cursor,
			begin(head) {
				if (head.recount && performance.now() - begun > RECOUNT_MS)
					throw new HistoryError('rows that the figures or the feed hold were deleted');
				clock.see(head.at);
				aggregator.advance(head.at);
			},
			visit(row) {
				delivered++;
				if (row.fault !== null) skipped.note(row);
				if (Number.isFinite(row.createdAt)) aggregator.add(toWindowRow(row));
			},
			publish,
		});
		for (const row of newest) skipped.note(row);
		const events = newest.filter(({ fault }) => fault === null).map(toActivityEvent);
		const fresh = createState({ aggregator, cursor: toId(cursor), series, previous, events });
		const reset = toReset(fresh.of, looked().sources);
		windows = aggregator;
		published = cursor;
		state = fresh;
		broadcast(reset);
		// last: a broadcast that threw leaves no position, and the next run begins anew
		drain = from;
		delivered++;
	}

	async function drainOrBegin(sql: Sql) {
		try {
			if (drain) {
				await drain.run(sql);
				// also when nothing was there to publish: holes may have ended without a row
				published = drain.cursor();
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
		async run(sql) {
			running = true;
			delivered = 0;
			await drainOrBegin(sql).finally(() => (running = false));
			return delivered;
		},
		running: () => running,
		prepared: () => prepared,
		published: () => published,
		state: () => state,
		figures() {
			if (running || !windows || !drain) return null;
			const whole = drain;
			// what throws below leaves no position: windows that moved half way must not be shown
			drain = null;
			windows.advance(clock.now());
			state.settle(looked());
			const { totals, cursor } = state.of(null);
			drain = whole;
			return { totals, at: windows.at(), cursor };
		},
	};
}
