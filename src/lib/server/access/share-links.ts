/**
 * Share links open the dashboard without a password: create, list, revoke. viewers.ts authenticates their
 * holders. A token is shown once; the table keeps its hash.
 */
import type { Sql } from '../db/connect';
import { toFilterTexts, type Filter } from '../../filter';
import { toArray } from '../db/array';
import { withDeadline } from '../db/deadline';
import { listNewest, type Listed } from '../db/list-newest';
import type { Viewers } from './viewers';
import { createToken } from './viewer-token';

export type ShareLink = {
	id: number;
	name: string;
	/** the filter it adds, as in an address; empty: everything may be viewed */
	filter: string[];
	createdAt: string;
	/** null: it does not expire */
	expiresAt: string | null;
	revokedAt: string | null;
	/** to the hour; null: never */
	lastUsedAt: string | null;
};
export type ShareLinks = {
	/** @param days until it expires; null: it does not. @param filter of what it shows; default: everything. @returns the token for the address; it is not known afterwards */
	create(name: string, days: number | null, filter?: Filter): Promise<string>;
	list(): Promise<Listed<ShareLink>>;
	/** Closes its streams within seconds. No-op when the link has ended or does not exist. */
	revoke(id: number): Promise<void>;
};

export const MAX_LINK_NAME = 80;
export const MAX_LINK_DAYS = 3_650;
const DEADLINE_MS = 2_000;

/** @param viewers forget a link that is revoked */
export function createShareLinks(sql: Sql, viewers: Pick<Viewers, 'forget'>): ShareLinks {
	const within = <T>(query: PromiseLike<T>, what: string) => withDeadline(query, DEADLINE_MS, what);
	return {
		async create(name, days, filter = []) {
			const { token, hash } = createToken();
			await within(
				sql`
					with audited as (insert into ${sql.schema}.audit (action, subject) values ('link made', ${name}))
					insert into ${sql.schema}.share_links (hash, name, filter, expires_at)
					values (${hash}, ${name}, ${toArray(toFilterTexts(filter))}::text[],
						now() + ${days}::int * interval '1 day')`,
				'making a link',
			);
			return token;
		},
		async list() {
			const { rows, more } = await listNewest<Row>(
				sql,
				'share_links',
				sql`id, name, to_jsonb(filter) as filter, created_at, expires_at, revoked_at, last_used_at`,
				sql`revoked_at is not null or coalesce(expires_at <= now(), false)`,
			);
			return { rows: rows.map(toLink), more };
		},
		async revoke(id) {
			const [row] = await within(
				sql<{ hash: string }[]>`
					with gone as (
						update ${sql.schema}.share_links set revoked_at = now() where id = ${id} and revoked_at is null returning hash, name
					), audited as (insert into ${sql.schema}.audit (action, subject) select 'link revoked', name from gone)
					select hash from gone`,
				'revoking a link',
			);
			if (row) viewers.forget(row.hash);
		},
	};
}

type Row = {
	id: string;
	name: string;
	filter: string[];
	created_at: Date;
	expires_at: Date | null;
	revoked_at: Date | null;
	last_used_at: Date | null;
};

function toLink(row: Row): ShareLink {
	return {
		id: Number(row.id),
		name: row.name,
		filter: row.filter,
		createdAt: row.created_at.toISOString(),
		expiresAt: row.expires_at?.toISOString() ?? null,
		revokedAt: row.revoked_at?.toISOString() ?? null,
		lastUsedAt: row.last_used_at?.toISOString() ?? null,
	};
}
