/**
 * The events of one session, newest first, from the table: a page at a time, without an end. What a share link hides is
 * left out here, so a session without a visible event is not there.
 */
import type { Fragment } from 'postgres';
import type { Logger } from 'pino';
import type { Filter } from '../../filter';
import { PAGE_VIEW } from '../../protocol';
import type { SessionPath, UserSession } from '../../session';
import type { Sql } from '../db/connect';
import { createRowMatch } from '../live/match-row';
import { toActivityEvent, toRow, type RawRow, type Row } from '../reader/row';
import { columns } from '../reader/rows';
import { BusyError, createReadings } from './readings';

/** Where a page begins: events older than this one. */
export type PathPosition = { createdAt: number; id: string };
export type PathSpec = { session: string; bound: Filter; before: PathPosition | null };
export type SessionReader = {
	/** @returns null: no such event is there, or the viewer may see none. @throws BusyError, or what the database says */
	read(spec: PathSpec): Promise<SessionPath | null>;
};

/** Events of one answer. */
export const PATH_PAGE = 50;
/** Rows read at once, and how often at most for one page, when a share link hides most of them. */
const CHUNK = 500;
const MAX_CHUNKS = 20;
/** The oldest events among which the arrival is looked for. */
const FIRST_ROWS = 20;
/** The newest events of a user from which the list of sessions is made. */
const USER_ROWS = 500;
const USER_SESSIONS = 20;
const TIMEOUT_MS = 5_000;
const DEADLINE_MS = 8_000;
/** At a time: they share three connections with history. */
const MOST_READINGS = 4;

const POSITION = /^(-?\d{1,15})-(\d{1,19})$/;

/** @returns undefined: it is no position */
export function parsePosition(text: string): PathPosition | undefined {
	const found = POSITION.exec(text);
	if (!found) return undefined;
	return { createdAt: Number(found[1]), id: found[2] as string };
}

const toPosition = (row: Row): string => `${row.createdAt}-${row.id}`;

/** One page of a session, newest first. Null: there is no event of it that may be seen. */
export async function readSession(sql: Sql, spec: PathSpec): Promise<SessionPath | null> {
	return (await sql.begin('read only', async (tx) => {
		const sql = tx as unknown as Sql;
		await sql`select set_config('statement_timeout', ${String(TIMEOUT_MS)}, true)`;
		const { session, before } = spec;
		const { rows, older } = await readPage(sql, spec);
		const page = { session, events: rows.map(toActivityEvent), older };
		if (before !== null) return page;
		const first = await readFirst(sql, spec);
		// of a session of which the newest rows are hidden, the first may be the only one
		if (rows.length === 0 && older === null && first === null) return null;
		const user = [...rows, ...(first ? [first] : [])].find(({ userId }) => userId)?.userId ?? null;
		const sessions = user === null ? [] : await readSessions(sql, user, spec);
		return {
			...page,
			start: first && toActivityEvent(first),
			...(user !== null && { user: { id: user, sessions } }),
		};
	})) as SessionPath | null;
}

async function readPage(
	sql: Sql,
	{ session, bound, before }: PathSpec,
): Promise<{ rows: Row[]; older: string | null }> {
	const match = createRowMatch({ filter: bound });
	const limit = bound.length > 0 ? CHUNK : PATH_PAGE + 1;
	const rows: Row[] = [];
	let from = before;
	for (let chunk = 0; chunk < MAX_CHUNKS; chunk++) {
		const raw = await sql<RawRow[]>`${pageQuery(sql, session, from, limit)}`;
		const read = raw.map(toRow);
		for (const row of read) {
			if (row.fault !== null || !match(row)) continue;
			const last = rows.at(-1);
			if (last && rows.length === PATH_PAGE) return { rows, older: toPosition(last) };
			rows.push(row);
		}
		const last = read.at(-1);
		if (!last || read.length < limit) return { rows, older: null };
		from = { createdAt: last.createdAt, id: String(last.id) };
	}
	return { rows, older: from && `${from.createdAt}-${from.id}` };
}

/** A test holds the plan: at any size of the table it touches the rows of its page only. */
export function pageQuery(
	sql: Sql,
	session: string,
	from: PathPosition | null,
	limit: number,
): Fragment {
	const bound = from
		? sql`and (created_at, id) < (${new Date(from.createdAt)}, ${from.id}::bigint)`
		: sql``;
	return sql`
		select ${columns(sql)} from ${sql.schema}.events
		where session_id = ${session} ${bound}
		order by events.created_at desc, events.id desc limit ${limit}`;
}

/** The page view that the session began with, or else its oldest event. */
async function readFirst(sql: Sql, { session, bound }: PathSpec): Promise<Row | null> {
	const match = createRowMatch({ filter: bound });
	const raw = await sql<RawRow[]>`
		select ${columns(sql)} from ${sql.schema}.events where session_id = ${session}
		order by events.created_at, events.id limit ${bound.length > 0 ? CHUNK : FIRST_ROWS}`;
	const rows = raw.map(toRow).filter((row) => row.fault === null && match(row));
	return rows.find(({ name }) => name === PAGE_VIEW) ?? rows[0] ?? null;
}

/** The user's sessions among their newest events, the newest session first. */
async function readSessions(sql: Sql, user: string, { bound }: PathSpec): Promise<UserSession[]> {
	const match = createRowMatch({ filter: bound });
	const raw = await sql<RawRow[]>`
		select ${columns(sql)} from ${sql.schema}.events
		where user_id = ${user} and session_id is not null
		order by events.created_at desc limit ${USER_ROWS}`;
	const sessions = new Map<string, UserSession>();
	for (const row of raw.map(toRow)) {
		if (row.sessionId === null || row.fault !== null || !match(row)) continue;
		const at = new Date(row.createdAt).toISOString();
		const known = sessions.get(row.sessionId);
		if (known) {
			known.from = at;
			known.events++;
		} else sessions.set(row.sessionId, { session: row.sessionId, from: at, to: at, events: 1 });
	}
	return [...sessions.values()].slice(0, USER_SESSIONS);
}

/** At most MOST_READINGS at a time; further ones get a BusyError. */
export function createSessions({
	sql,
	log,
}: {
	sql: Sql;
	log: Pick<Logger, 'warn'>;
}): SessionReader {
	const readings = createReadings(MOST_READINGS, DEADLINE_MS, 'a session');
	return {
		async read(spec) {
			try {
				return await readings.run(() => readSession(sql, spec));
			} catch (error) {
				if (!(error instanceof BusyError))
					log.warn({ reason: String(error) }, 'a session was not read');
				throw error;
			}
		},
	};
}
