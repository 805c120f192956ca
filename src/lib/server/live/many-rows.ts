/**
 * Rows for the window store, by the thousand: one JSON.parse reads the properties of many. Values are those that `toRow` reads.
 */
import type { Fragment } from 'postgres';
import type { Json } from '../../protocol';
import type { Sql } from '../db/connect';
import { isPlainJson } from '../db/exact-json';
import { MAX_LEVELS, parseContext, parseProperties, toContext, toProperties } from '../reader/row';
import type { StoreRow } from './window-store';

/** A row of `events` as `storeColumns` returns it. */
export type RawStoreRow = {
	name: string;
	source: string;
	session_id: string | null;
	user_id: string | null;
	created_at: number;
	properties: string;
	context: string | null;
};

/** Of `events`, as `toStoreRows` takes them. */
export const storeColumns = (sql: Sql): Fragment => sql`
	name, source, session_id, user_id, (extract(epoch from created_at) * 1000)::float8 as created_at,
	properties::text, context::text`;

/** Never throws: what cannot be read is not there. Some milliseconds of work for a thousand. */
export function toStoreRows(raw: readonly RawStoreRow[]): StoreRow[] {
	/** what JSON.parse would change, or call itself for too often: read as single rows are */
	const apart = new Set<number>();
	const texts = raw.map(({ properties, context }, i) => {
		const known = context ?? 'null';
		if (isPlainJson(properties, MAX_LEVELS) && isPlainJson(known, MAX_LEVELS))
			return `${properties},${known}`;
		apart.add(i);
		return 'null,null';
	});
	const parsed = JSON.parse(`[${texts.join(',')}]`) as Json[];
	return raw.map((row, i) => ({
		name: row.name,
		source: row.source,
		sessionId: row.session_id,
		userId: row.user_id,
		createdAt: row.created_at,
		properties: apart.has(i)
			? parseProperties(row.properties).properties
			: (toProperties(parsed[2 * i] as Json) ?? {}),
		context: apart.has(i) ? parseContext(row.context) : toContext(parsed[2 * i + 1] as Json),
	}));
}
