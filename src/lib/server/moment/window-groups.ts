/**
 * Groups the events of one window by time and session, and by each breakdown, in one reading of the table. As for ranges
 * (history/event-groups.ts), Postgres groups raw values, and the code of the live view decides what they mean.
 */
import type { Fragment } from 'postgres';
import type { Dimension } from '../../dimensions';
import type { Condition } from '../../filter';
import { PAGE_VIEW } from '../../protocol';
import type { Sql } from '../db/connect';
import { fieldsOf, read, toRow, type Field, type Raw } from '../history/event-groups';
import type { DimensionRow } from '../live/dimension-values';
import { createRowMatch } from '../live/match-row';

/** Events that are alike: of one slot of time, with their sessions, or of the breakdowns `of`. */
export type WindowGroup = {
	row: DimensionRow;
	events: number;
	pageViews: number;
	/** of `bounds`; null: the whole window */
	slot: number | null;
	of: readonly Dimension[];
	/** of a slot: each one once; null: without one */
	sessions: readonly (string | null)[];
};

const CHUNK = 5_000;
/** `grouping()` takes 31 arguments. */
const MASK_FIELDS = 30;

/**
 * @param bounds ms since 1970, ascending: begins of the slots, and the end of the last
 * @param visit called for the groups that the filter matches
 * @param signal cancels the statement
 */
export async function readWindowGroups(
	sql: Sql,
	view: Condition & { by: readonly Dimension[]; bounds: readonly number[] },
	visit: (group: WindowGroup) => void,
	signal?: AbortSignal,
): Promise<void> {
	const { filter, bound = [], by, bounds } = view;
	const match = createRowMatch({ filter, bound });
	const asked = [...filter, ...bound].flatMap(({ dimension }) => fieldsOf(dimension));
	const fields = unique([...asked, ...by.flatMap(fieldsOf)]);
	const toIndices = (of: Field[]) => unique([...asked, ...of]).map((one) => indexOf(fields, one));
	const sets = toSets(by, toIndices);

	const times = `{${bounds.map((bound) => new Date(bound).toISOString()).join(',')}}`;
	const columns = fields.map((field, i) => sql`, ${read(sql, field)} as ${sql(`f${i}`)}`);
	const text = (parts: string[], by = ', ') => sql.unsafe(parts.join(by)) as unknown as Fragment;
	const names = (indices: readonly number[]) => indices.map((i) => `f${i}`);
	const masks = Array.from({ length: Math.ceil(fields.length / MASK_FIELDS) }, (_, m) => {
		const part = fields.slice(m * MASK_FIELDS, (m + 1) * MASK_FIELDS);
		return `grouping(${part.map((_, i) => `f${m * MASK_FIELDS + i}`).join(', ')})::text`;
	});
	const all = fields.map((_, i) => i);
	const bare = (indices: readonly number[]) =>
		text(
			names(indices).map((name) => `, ${name}`),
			'',
		);
	// sessions as one list for each slot: a row for each would take ten times as long to read
	const query = sql<(Raw & { whole: number; mask: string; sessions: string | null })[]>`
		select whole, slot, mask, sum(events)::int as events, sum(views)::int as views,
			(json_agg(session) filter (where whole = 0))::text as sessions ${bare(all)}
		from (
			select grouping(slot) as whole, slot, count(*)::int as events, count(*) filter (where is_view)::int as views,
				session, ${text([`${masks.length > 0 ? `concat_ws(',', ${masks.join(', ')})` : `''`} as mask`, ...names(all)])}
			from (
				select width_bucket(created_at, ${times}::timestamptz[]) - 1 as slot, name = ${PAGE_VIEW} as is_view,
					session_id as session ${columns.length > 0 ? columns : sql``}
				from ${sql.schema}.events
				where created_at >= ${new Date(bounds[0] as number)} and created_at < ${new Date(bounds.at(-1) as number)}
			) as wanted
			group by grouping sets (${text([
				`(${['slot', 'session', ...names(toIndices([]))].join(', ')})`,
				...[...sets.values()].map(({ indices }) => `(${names(indices).join(', ')})`),
			])})
		) as grouped
		group by whole, slot, mask ${bare(all)}`;
	const cancel = () => void query.cancel();
	signal?.throwIfAborted();
	signal?.addEventListener('abort', cancel);
	try {
		for await (const piece of query.cursor(CHUNK)) {
			signal?.throwIfAborted();
			for (const raw of piece) {
				const row = toRow(raw, fields);
				if (!match(row)) continue;
				const { events, views: pageViews } = raw;
				const of = raw.whole === 1 ? (sets.get(raw.mask)?.of ?? []) : [];
				const slot = raw.whole === 1 ? null : raw.slot;
				const sessions =
					raw.sessions === null ? [] : (JSON.parse(raw.sessions) as (string | null)[]);
				visit({ row, events, pageViews, slot, of, sessions });
			}
		}
	} finally {
		signal?.removeEventListener('abort', cancel);
	}

	/** Breakdowns that read the same fields share a set; its key is what `grouping` says of it. */
	function toSets(by: readonly Dimension[], toIndices: (of: Field[]) => number[]) {
		const found = new Map<string, { indices: number[]; of: Dimension[] }>();
		for (const dimension of by) {
			const indices = toIndices(fieldsOf(dimension));
			const key = toMask(indices, fields.length);
			const set = found.get(key) ?? { indices, of: [] };
			set.of.push(dimension);
			found.set(key, set);
		}
		return found;
	}
}

/** As `grouping` has it: for each field, the first one highest, whether the set is not grouped by it. */
function toMask(indices: readonly number[], length: number): string {
	const grouped = new Set(indices);
	const masks: number[] = [];
	for (let begin = 0; begin < length; begin += MASK_FIELDS) {
		let mask = 0;
		for (let i = begin; i < Math.min(begin + MASK_FIELDS, length); i++)
			mask = mask * 2 + (grouped.has(i) ? 0 : 1);
		masks.push(mask);
	}
	return masks.join();
}

const keyOf = (field: Field) => JSON.stringify(field);
const unique = (fields: readonly Field[]) => [
	...new Map(fields.map((field) => [keyOf(field), field])).values(),
];
const indexOf = (fields: readonly Field[], wanted: Field) =>
	fields.findIndex((field) => keyOf(field) === keyOf(wanted));
