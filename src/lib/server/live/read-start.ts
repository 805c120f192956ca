/**
 * Reads what a process needs to begin, in one snapshot: the head, the newest rows for the feeds, and the rows of the half hour.
 * Where there are many of them only the newest are read at once: the others are counted, and read behind everything else.
 */
import type { Sql } from '../db/connect';
import { dropClient } from '../db/renewing-client';
import { PAGE_VIEW, SESSION_WINDOW_MS } from '../../protocol';
import { toRow, type RawRow, type Row } from '../reader/row';
import { CHUNK, columns, headQuery, toHead, type Head } from '../reader/rows';
import { storeColumns, toStoreRows, type RawStoreRow } from './many-rows';
import { RECENT_EVENTS } from './state';
import { COUNTED_EXACTLY_MS, type Counted, type StoreRow } from './window-store';

/**
 * `last`: the newest transaction that was ever there, also when its rows are deleted. `newest` first. `rest`: what is still to be
 * read; null: nothing.
 */
export type Start = { head: Head; last: bigint; newest: Row[]; rest: Rest | null };

/** Rows up to `through`, which are counted already. */
export type Rest = {
	through: number;
	counted: Counted[];
	/** Newest first; after each piece all rows are there that are newer than `to`. Rejects when they cannot be read. */
	pieces: AsyncIterable<{ rows: StoreRow[]; to: number }>;
	/** Reads no more. */
	stop(): void;
};

/** Fewer rows than this are read at once, in a second. */
export const READ_AT_ONCE = 100_000;

/**
 * @param own a client for this alone, which is ended when all is read; one connection is enough
 * @param visit called with the rows that are read at once, in pieces, and with the time of the head
 */
export async function readStart(
	own: Sql,
	{ windowMs, readAtOnce = READ_AT_ONCE }: { windowMs: number; readAtOnce?: number },
	visit: (rows: StoreRow[], at: number) => void,
): Promise<Start> {
	return new Promise((resolve, reject) => {
		const reading = own.begin('isolation level repeatable read read only', async (tx) => {
			const sql = tx as unknown as Sql;
			// it may take seconds, and a role with a low limit would never start
			await tx`set local statement_timeout = 0`;
			await tx`set local idle_in_transaction_session_timeout = 0`;
			const [first] = await sql<[{ head: string }]>`${headQuery(sql)}`;
			const head = toHead(first.head);
			const raw = await sql<RawRow[]>`
				select ${columns(sql)} from ${sql.schema}.events
				order by events.tx desc, events.id desc limit ${RECENT_EVENTS}`;
			const newest = raw.map(toRow);
			const last = [newest[0]?.tx ?? 0n, head.deletedThrough ?? 0n].reduce((a, b) =>
				a > b ? a : b,
			);
			const since = head.at - windowMs;
			// sessions are figures of their own, so their window is read at once
			const through = Math.max(since, head.at - SESSION_WINDOW_MS);
			for await (const rows of read(sql, through, Infinity)) visit(rows, head.at);
			const counted = await count(sql, since, through);
			const more = counted.reduce((sum, { events }) => sum + events, 0);
			if (more <= readAtOnce) {
				for await (const rows of read(sql, since, through)) visit(rows, head.at);
				return resolve({ head, last, newest, rest: null });
			}
			await new Promise<void>((done) => {
				// a transaction that does not come to its end is left to the end of its connection: COMMIT on a lost one breaks the driver
				const stop = () => dropClient(own);
				const pieces = inWholeMs(read(sql, since, through, true), done);
				resolve({ head, last, newest, rest: { through, counted, pieces, stop } });
			});
		});
		void reading.then(
			() => own.end().catch(() => {}),
			(error: unknown) => {
				dropClient(own);
				reject(error as Error);
			},
		);
	});
}

/**
 * Rows with times in (after, to], some at a time. `to` may be infinite: then all that have a time.
 * @param isSorted newest first
 */
async function* read(
	sql: Sql,
	after: number,
	to: number,
	isSorted = false,
): AsyncGenerator<StoreRow[]> {
	const until = to === Infinity ? sql`created_at < 'infinity'` : sql`created_at <= ${new Date(to)}`;
	const cursor = sql<RawStoreRow[]>`
		select ${storeColumns(sql)} from ${sql.schema}.events
		where created_at > ${new Date(after)} and ${until}
		${isSorted ? sql`order by events.created_at desc` : sql``}
	`.cursor(CHUNK);
	const pieces = cursor[Symbol.asyncIterator]();
	// Postgres makes the next piece while this one is worked on
	let next = pieces.next();
	for (;;) {
		const { value, done } = await next;
		if (done) return;
		next = pieces.next();
		// who stops here asks for no more, and does not hear that it failed
		next.catch(() => {});
		yield toStoreRows(value);
	}
}

/** How many rows there are with times in (since, through], by the time at which the store no longer counts them. */
async function count(sql: Sql, since: number, through: number): Promise<Counted[]> {
	const exactThrough = new Date(since + COUNTED_EXACTLY_MS);
	return sql<Counted[]>`
		select (extract(epoch from until) * 1000)::float8 as at, events, "pageViews" from (
			select case when created_at <= ${exactThrough} then created_at
					else date_trunc('second', created_at) + interval '999 ms' end as until,
				count(*)::int as events, (count(*) filter (where name = ${PAGE_VIEW}))::int as "pageViews"
			from ${sql.schema}.events
			where created_at > ${new Date(since)} and created_at <= ${new Date(through)}
			group by 1
		) as counted`;
}

/** The same rows in pieces that end with a whole millisecond. @param onRead all have come */
async function* inWholeMs(
	pieces: AsyncIterable<StoreRow[]>,
	onRead: () => void,
): AsyncGenerator<{ rows: StoreRow[]; to: number }> {
	let rest: StoreRow[] = [];
	for await (const piece of pieces) {
		const rows = [...rest, ...piece];
		const to = rows.at(-1)?.createdAt ?? -Infinity;
		const whole = rows.findLastIndex(({ createdAt }) => createdAt > to) + 1;
		yield { rows: rows.slice(0, whole), to };
		rest = rows.slice(whole);
	}
	onRead();
	yield { rows: rest, to: -Infinity };
}
