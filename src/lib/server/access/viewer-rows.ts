/** Sessions and share links in the database. Every query has a deadline; nothing is remembered here. */
import type { Sql } from '../db/connect';
import { parseFilter, type Filter } from '../../filter';
import { toArray } from '../db/array';
import { withDeadline } from '../db/deadline';
import { createRenewingClient } from '../db/renewing-client';

/** How long a session lasts since it was last used. */
export const SESSION_MS = 30 * 24 * 60 * 60_000;
/** Expiry and last use are written at most once in this time: a page that is open all day writes a row an hour. */
const TOUCH_MS = 60 * 60_000;
/** After a write that failed: a database that takes no writes is not asked at every read. */
const RETRY_NOTE_MS = 60_000;
const DEADLINE_MS = 2_000;

export type Viewer = {
	kind: 'session' | 'link';
	hash: string;
	/** ms since 1970; null: it does not expire */
	expiresAt: number | null;
	/** added to whatever the viewer asks for; empty: everything may be viewed */
	filter: Filter;
};
export type ViewerRow = Viewer & { lastUsedAt: number | null };
type Row = {
	kind: 'session' | 'link';
	hash: string;
	expires_at: Date | null;
	last_used_at: Date | null;
	filter: string[];
};

export type ViewerRows = {
	/** Those of the hashes that are valid; null: the database gave no answer. */
	read(hashes: readonly string[]): Promise<ViewerRow[] | null>;
	/** Extends sessions (also in `rows`) and dates links. A failure is ignored: the viewers stay valid. */
	noteUse(rows: ViewerRow[]): Promise<void>;
	/** @returns when the session expires */
	beginSession(hash: string): Promise<number>;
	endSession(hash: string): Promise<void>;
	endAllSessions(): Promise<void>;
	stop(): Promise<void>;
};

/** @param connect makes a client with one connection, which is ended here @param now ms since 1970 */
export function createViewerRows(connect: () => Sql, now: () => number): ViewerRows {
	const client = createRenewingClient(connect);
	let notAgainBefore = -Infinity;

	const within = <T>(query: PromiseLike<T>, what: string) => withDeadline(query, DEADLINE_MS, what);
	const hashesOf = (rows: ViewerRow[]) => toArray(rows.map(({ hash }) => hash));

	return {
		async read(hashes) {
			const sql = client.sql();
			const asked = toArray(hashes);
			try {
				const rows = await within(
					sql<Row[]>`
						select 'session' as kind, hash, expires_at, null::timestamptz as last_used_at, '[]'::jsonb as filter
						from ${sql.schema}.sessions where hash = any(${asked}::text[]) and expires_at > now()
						union all
						select 'link', hash, expires_at, last_used_at, to_jsonb(filter)
						from ${sql.schema}.share_links
						where hash = any(${asked}::text[]) and revoked_at is null and (expires_at is null or expires_at > now())`,
					'looking for viewers',
				);
				return rows.flatMap(({ kind, hash, expires_at, last_used_at, filter }) => {
					const parsed = parseFilter(filter);
					// a filter that cannot be read must not widen what the link shows
					if (!parsed.ok) return [];
					return {
						kind,
						hash,
						expiresAt: expires_at?.getTime() ?? null,
						lastUsedAt: last_used_at?.getTime() ?? null,
						filter: parsed.filter,
					};
				});
			} catch {
				client.renew();
				return null;
			}
		},
		async noteUse(rows) {
			const sql = client.sql();
			const time = now();
			if (time < notAgainBefore) return;
			const expiresAt = time + SESSION_MS;
			const links = rows.filter(
				({ kind, lastUsedAt }) => kind === 'link' && (lastUsedAt ?? 0) < time - TOUCH_MS,
			);
			const sessions = rows.filter(
				({ kind, expiresAt: ends }) => kind === 'session' && (ends ?? 0) <= expiresAt - TOUCH_MS,
			);
			try {
				if (links.length > 0)
					await within(
						sql`update ${sql.schema}.share_links set last_used_at = now() where hash = any(${hashesOf(links)}::text[])`,
						'noting the use of links',
					);
				if (sessions.length === 0) return;
				await within(
					// a session that has expired since it was read stays expired
					sql`
						update ${sql.schema}.sessions set expires_at = ${new Date(expiresAt)}
						where hash = any(${hashesOf(sessions)}::text[]) and expires_at > now()`,
					'noting the use of sessions',
				);
				for (const session of sessions) session.expiresAt = expiresAt;
			} catch {
				notAgainBefore = time + RETRY_NOTE_MS;
				client.renew();
			}
		},
		async beginSession(hash) {
			const sql = client.sql();
			const expiresAt = now() + SESSION_MS;
			await within(
				sql`
					with old as (delete from ${sql.schema}.sessions where expires_at <= now()),
					audited as (insert into ${sql.schema}.audit (action) values ('login'))
					insert into ${sql.schema}.sessions (hash, expires_at) values (${hash}, ${new Date(expiresAt)})`,
				'beginning a session',
			);
			return expiresAt;
		},
		async endSession(hash) {
			const sql = client.sql();
			await within(
				sql`delete from ${sql.schema}.sessions where hash = ${hash}`,
				'ending a session',
			);
		},
		async endAllSessions() {
			const sql = client.sql();
			await within(
				sql`
					with audited as (insert into ${sql.schema}.audit (action) values ('logged out everywhere'))
					delete from ${sql.schema}.sessions`,
				'ending all sessions',
			);
		},
		stop: () => client.end(1),
	};
}
