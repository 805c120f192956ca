/**
 * Counts events of a range by what a filter and a breakdown need of them. Postgres groups by the raw values; which group
 * a filter wants and what a value is called is decided by the same code as for the live view, so both mean the same.
 * Reads every event of the range: rollups are for what needs no filter.
 */
import type { Fragment } from 'postgres';
import { PROPS, type Dimension } from '../../dimensions';
import type { Condition } from '../../filter';
import { PAGE_VIEW, type Json } from '../../protocol';
import type { Sql } from '../db/connect';
import { parseForBrowsers } from '../db/exact-json';
import type { DimensionRow } from '../live/dimension-values';
import { createRowMatch } from '../live/match-row';

/** Events that are alike; `slot` is the bucket of `bounds` they were created in. */
export type EventGroup = { row: DimensionRow; slot: number; events: number; pageViews: number };

/** Where a part of a dimension stands in a row. */
export type Field =
	| { column: 'name' | 'source' | 'session_id' | 'user_id' }
	| { of: 'properties' | 'context'; key: string };

/** Where a dimension is read from. */
export function fieldsOf(dimension: Dimension): Field[] {
	if (dimension.startsWith(PROPS))
		return [{ of: 'properties', key: dimension.slice(PROPS.length) }];
	if (dimension === 'name' || dimension === 'source') return [{ column: dimension }];
	if (dimension === 'session') return [{ column: 'session_id' }];
	if (dimension === 'user') return [{ column: 'user_id' }];
	if (dimension === 'path') return ['path', 'slash'].map((key) => ({ of: 'properties', key }));
	const isSent = dimension === 'referrer' || dimension.startsWith('utm_');
	return [{ of: isSent ? 'properties' : 'context', key: dimension }];
}

const CHUNK = 5_000;

/**
 * @param bounds ms since 1970, ascending: begins of the slots, and the end of the last
 * @param visit called for the groups that the filter matches, in pieces
 * @param signal stops reading between two pieces
 */
export async function readGroups(
	sql: Sql,
	{
		filter,
		bound = [],
		by,
		bounds,
	}: Condition & { by: readonly Dimension[]; bounds: readonly number[] },
	visit: (group: EventGroup) => void,
	signal?: AbortSignal,
): Promise<void> {
	const match = createRowMatch({ filter, bound });
	const dimensions = [
		...new Set([...[...filter, ...bound].map(({ dimension }) => dimension), ...by]),
	];
	const fields = dimensions.flatMap(fieldsOf);
	const times = `{${bounds.map((bound) => new Date(bound).toISOString()).join(',')}}`;
	const expressions = fields.map((field, i) => sql`, ${read(sql, field)} as ${sql(`f${i}`)}`);
	const grouped = sql.unsafe(fields.map((_, i) => `, f${i}`).join('')) as unknown as Fragment;
	const pieces = sql<Raw[]>`
		select slot, count(*)::int as events, count(*) filter (where is_view)::int as views ${grouped}
		from (
			select width_bucket(created_at, ${times}::timestamptz[]) - 1 as slot,
				name = ${PAGE_VIEW} as is_view ${expressions}
			from ${sql.schema}.events
			where created_at >= ${new Date(bounds[0] as number)}
				and created_at < ${new Date(bounds.at(-1) as number)}
		) as wanted
		group by slot ${grouped}`.cursor(CHUNK);
	for await (const piece of pieces) {
		signal?.throwIfAborted();
		for (const raw of piece) {
			const row = toRow(raw, fields);
			if (match(row)) visit({ row, slot: raw.slot, events: raw.events, pageViews: raw.views });
		}
	}
}

export type Raw = { slot: number; events: number; views: number } & {
	[field: `f${number}`]: string | null;
};

/** A field in SQL, as text. */
export function read(sql: Sql, field: Field): Fragment {
	if ('column' in field) return sql`${sql(field.column)}`;
	return sql`(${sql(field.of)} -> ${field.key}::text)::text`;
}

/** What the group says of its events; a field that it is not grouped by is not there. */
export function toRow(raw: Raw, fields: readonly Field[]): DimensionRow {
	// without a prototype: a property may be called __proto__
	const properties = Object.create(null) as { [key: string]: Json };
	const context: { [key: string]: Json } = {};
	const columns: { [column: string]: string | null } = {};
	for (const [i, field] of fields.entries()) {
		const value = raw[`f${i}`] ?? null;
		if ('column' in field) columns[field.column] = value;
		else if (value !== null)
			(field.of === 'context' ? context : properties)[field.key] = parseForBrowsers(value);
	}
	const { name, source, session_id: sessionId = null, user_id: userId = null } = columns;
	return { name: name ?? '', source: source ?? '', sessionId, userId, properties, context };
}
