/**
 * Groups the events of many requests into few transactions, and answers each request only after the commit
 * of its rows. Why not one INSERT for each request: commits with NOTIFY queue for a lock. One bad request
 * must not fail the others of its group. INGEST_BOUNDS bounds every wait and queue.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import { createRenewingClient, type RenewingClient } from '../db/renewing-client';
import type { InputEvent } from './parse-events';
import { insertEvents, toTrouble } from './insert-events';
import {
	createSubmission,
	mergeRows,
	RefusedError,
	toReceipts,
	type Receipt,
	type Submission,
} from './submission';
import { UnavailableError } from '../db/errors';

export const INGEST_BOUNDS = {
	/**
	 * Groups in flight. Two, so that a group waiting for a lock does not block all others; not for speed
	 * (1, 2 and 4 were equally fast with 64 and 512 writers, measured): each adds a notification to the
	 * queue at commit.
	 */
	lanes: 2,
	/** a longer group commits hardly more rows per second, and keeps its requests waiting */
	groupRows: 1_000,
	/** submitted and not yet answered: two seconds at 10,000 events/s */
	heldRows: 20_000,
	heldBytes: 32 * 1024 * 1024,
	/** a request that is not committed by then, and not just being tried, is answered "unavailable" */
	waitMs: 2_000,
	/** between two attempts while the database is away */
	retryPauseMs: 100,
	/** ON CONFLICT waits for an open transaction that holds the same event id: this long, then each request goes alone */
	lockTimeoutMs: 250,
	/** an attempt that has not settled by now never will: its connection is replaced */
	deadlineMs: 5_000,
};
export type IngestBounds = typeof INGEST_BOUNDS;

export type IngestStats = {
	/** submitted and not yet answered */
	heldRows: number;
	heldBytes: number;
	/** transactions committed, and rows in them */
	groups: number;
	rows: number;
	/** requests answered after a commit, and their events, as they were told */
	requests: number;
	accepted: number;
	duplicates: number;
};

export type Ingest = {
	/**
	 * Resolves after the commit. Rejects with a RefusedError (none of these events will ever be taken) or an
	 * UnavailableError (not saved, or not known: with the same event ids it is safe to submit them again).
	 * When a connection was lost during the commit, events with a client's id may be counted as duplicates of themselves.
	 */
	submit(events: readonly InputEvent[]): Promise<Receipt>;
	/** Takes no more, waits until what was submitted is answered, and disconnects. Safe to call twice. */
	close(): Promise<void>;
	stats(): IngestStats;
};

/** Of the deadline: the database gives up first, so that what it leaves undone is known to be undone. */
const SERVER_SHARE = 0.9;

/** One connection and the loop that fills it. */
type Lane = { client: RenewingClient; running: Promise<void> | null };

/** @param connect makes a client; one connection is enough. Each is ended by the ingest */
export function createIngest({
	connect,
	log,
	onFailed = () => {},
	onGroup = () => {},
	bounds: given = {},
}: {
	connect: () => Sql;
	log: Pick<Logger, 'info' | 'warn'>;
	/** an attempt to save failed for other reasons than the events themselves */
	onFailed?: () => void;
	/** a group was committed by one INSERT of so many events */
	onGroup?: (events: number) => void;
	bounds?: Partial<IngestBounds>;
}): Ingest {
	const bounds = { ...INGEST_BOUNDS, ...given };
	const lanes = Array.from({ length: bounds.lanes }, (): Lane => ({
		client: createRenewingClient(connect),
		running: null,
	}));
	const stats: IngestStats = {
		heldRows: 0,
		heldBytes: 0,
		groups: 0,
		rows: 0,
		requests: 0,
		accepted: 0,
		duplicates: 0,
	};
	const queue: Submission[] = [];
	let away = false;
	let closing: Promise<void> | null = null;

	async function submit(events: readonly InputEvent[]): Promise<Receipt> {
		if (closing) throw new UnavailableError('The server is shutting down.');
		if (stats.heldRows + events.length > bounds.heldRows || stats.heldBytes > bounds.heldBytes)
			throw new UnavailableError(
				`${stats.heldRows} events are waiting to be saved: the queue is full.`,
			);
		return new Promise((resolve, reject) => {
			const submission = createSubmission(events, bounds.waitMs, ({ rows, bytes }, outcome) => {
				stats.heldRows -= rows.length;
				stats.heldBytes -= bytes;
				if (outcome instanceof Error) reject(outcome);
				else resolve(outcome);
			});
			stats.heldRows += submission.rows.length;
			stats.heldBytes += submission.bytes;
			queue.push(submission);
			wake();
		});
	}

	/** While every lane is busy nothing happens: the next group gathers until one is free. */
	function wake() {
		const lane = lanes.find(({ running }) => !running);
		if (lane) lane.running = run(lane);
	}

	async function run(lane: Lane) {
		// what arrived in the same turn of the event loop travels together
		await nextTurn();
		for (let group = take(); group.length > 0; group = take()) await deliver(lane, group);
		lane.running = null;
	}

	/** The oldest submissions, as many as make a group; at least one, if there is one that is not answered yet. */
	function take(): Submission[] {
		const group: Submission[] = [];
		let rows = 0;
		let taken = 0;
		for (const submission of queue) {
			if (!submission.answered) {
				rows += submission.rows.length;
				if (group.length > 0 && rows > bounds.groupRows) break;
				group.push(submission);
			}
			taken++;
		}
		queue.splice(0, taken);
		return group;
	}

	/** Answers every submission of the group, sooner or later; never rejects. */
	async function deliver(lane: Lane, all: readonly Submission[]): Promise<void> {
		for (;;) {
			for (const submission of all) submission.expire();
			const group = all.filter(({ answered }) => !answered);
			const [first] = group;
			if (!first) return;
			const error = await attempt(lane, group);
			if (error === null) return;
			const trouble = toTrouble(error);
			if (trouble !== 'data') onFailed();
			if (trouble === 'away') {
				renew(lane, error);
				await pause(bounds.retryPauseMs);
			} else if (group.length === 1) {
				first.answer(trouble === 'data' ? new RefusedError(error) : new UnavailableError(LOCKED));
			} else {
				log.warn(
					{ requests: group.length, reason: String(error) },
					'a group goes request by request',
				);
				for (const submission of group) await deliver(lane, [submission]);
			}
		}
	}

	/** One transaction. Answers the group after its commit; else returns the error. */
	async function attempt(lane: Lane, group: readonly Submission[]): Promise<unknown> {
		const { rows, holders } = mergeRows(group);
		for (const submission of group) submission.attempting = true;
		try {
			const insert = insertEvents(lane.client.sql(), rows, {
				lockTimeoutMs: bounds.lockTimeoutMs,
				statementTimeoutMs: bounds.deadlineMs * SERVER_SHARE,
			});
			const inserted = await withDeadline(insert, bounds.deadlineMs, 'saving events');
			if (away) log.info('events are saved again');
			away = false;
			stats.groups += 1;
			stats.rows += inserted.size;
			onGroup(rows.length);
			for (const [submission, receipt] of toReceipts(group, holders, inserted)) {
				stats.requests += 1;
				stats.accepted += receipt.accepted;
				stats.duplicates += receipt.duplicates;
				submission.answer(receipt);
			}
			return null;
		} catch (error) {
			return error;
		} finally {
			for (const submission of group) submission.attempting = false;
		}
	}

	function renew(lane: Lane, error: unknown) {
		if (!away) log.warn({ reason: String(error) }, 'events cannot be saved now; requests wait');
		away = true;
		lane.client.renew();
	}

	async function end() {
		await Promise.all(lanes.map(({ running }) => running));
		await Promise.all(lanes.map(({ client }) => client.end(1)));
	}

	return {
		submit,
		close: () => (closing ??= end()),
		stats: () => ({ ...stats }),
	};
}

const LOCKED = 'Another transaction holds one of these event ids, or the whole table.';
