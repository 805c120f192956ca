/**
 * The reading itself: begins anew where no position holds, drains from the one that does, and publishes. It owns
 * cursor, windows and state. The invariant everything else leans on: the ring's head, the state and the windows change in
 * one synchronous step, so whoever looks between two steps finds them at the same cursor.
 */
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { COUNT_WINDOW_MS, FEED_LENGTH } from '../../protocol';
import { createAggregator, type Aggregator } from '../live/windows';
import type { Frame } from './ring';
import type { Clock } from '../db/database-clock';
import { atSnapshot, toId, type Cursor } from '../reader/cursor';
import { withDeadline } from '../db/deadline';
import { createDrain, HistoryError, verify, type Batch, type Drain } from '../reader/drain';
import { toActivity, toReset } from './frames';
import { refuseStandby, repairForeignTransactions, settleEpoch } from '../reader/epoch';
import { toActivityEvent } from '../reader/rows';
import { createEmptyState, createState, type Looked, type State } from '../live/state';
import { readPrevious, readSeries, type Figures } from '../live/tick';
import { toWindowRow } from '../live/window-row';
import { readStart } from '../live/read-start';

/** Migrations and reading half an hour of events take their time, but not for ever. */
const BEGIN_DEADLINE_MS = 10 * 60_000;
/** Of the parts that are short: a connection that is half open must not hold up a start for minutes. */
const SHORT_DEADLINE_MS = 10_000;
/** Who deletes row by row makes everybody begin anew at most so often; until then the figures hold what is gone. */
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
 * @param onEvents told, after a frame, how many events it stands for, and how long ago the newest was inserted, in ms of the database's
 * clock; null when that is more than MAX_DELAY_MS: then it was stamped by its sender, or nobody could read
 */
export function createReading({
	prepare,
	clock,
	looked,
	broadcast,
	onEvents,
	log,
}: {
	prepare: () => Promise<void>;
	clock: Clock;
	looked: () => Looked;
	broadcast: (frame: Frame) => void;
	onEvents: (count: number, delayMs: number | null) => void;
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

	/** reads everything anew: at the start, and when the history has changed; clients get a reset */
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
		windows = aggregator;
		published = cursor;
		drain = createDrain({
			from: cursor,
			begin(head) {
				if (head.recount && performance.now() - begun > RECOUNT_MS)
					throw new HistoryError('rows that the figures or the feed hold were deleted');
				clock.see(head.at);
				aggregator.advance(head.at);
			},
			visit(row) {
				delivered++;
				aggregator.add(toWindowRow(row));
			},
			publish,
		});
		const events = newest.map(toActivityEvent);
		state = createState({ aggregator, cursor: toId(cursor), series, previous, events });
		broadcast(toReset(state.of, looked().sources));
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
			if (!(error instanceof HistoryError)) throw error;
			log.warn({ reason: error.message }, 'another history: every client gets a reset');
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
			windows.advance(clock.now());
			state.settle(looked());
			const { totals, cursor } = state.of(null);
			return { totals, at: windows.at(), cursor };
		},
	};
}
