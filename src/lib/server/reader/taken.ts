/** What a frame carries of the rows that were read, and how many others it stands for. */
import { MAX_EVENTS_PER_FRAME } from '../../protocol';
import type { Row } from './row';

/** A view, as the drain counts omitted rows for it. */
export type RowTest = { readonly key: string; match(row: Row): boolean };
/** How many rows a frame stands for without carrying them, and how many of them a view shows. */
export type Omitted = { size: number; of(view: RowTest): number };

export type Taken = ReturnType<typeof createTaken>;

/** Rows on their way into a frame: the newest that can be shown, and how many others. */
export function createTaken(views: () => Iterable<RowTest>) {
	const counts = new Map<string, number>();
	const omitted = { size: 0, of: ({ key }: RowTest) => counts.get(key) ?? 0 };
	let rows: Row[] = [];

	function omit(row: Row) {
		omitted.size++;
		for (const { key, match } of views())
			if (match(row)) counts.set(key, (counts.get(key) ?? 0) + 1);
	}

	return {
		add(more: readonly Row[]) {
			for (const row of more)
				if (row.fault === null) rows.push(row);
				else omit(row);
			if (rows.length <= MAX_EVENTS_PER_FRAME) return;
			for (const row of rows.slice(0, -MAX_EVENTS_PER_FRAME)) omit(row);
			rows = rows.slice(-MAX_EVENTS_PER_FRAME);
		},
		rows: () => rows.length,
		size: () => rows.length + omitted.size,
		batch: (): { rows: Row[]; omitted: Omitted } => ({ rows, omitted }),
	};
}

/** How many of these rows a view shows, as a frame omits them. */
export function countOmitted(rows: readonly Row[]): Omitted {
	return { size: rows.length, of: ({ match }) => rows.filter(match).length };
}

/** Rows in ascending order of transactions, by transaction. */
export function byTransaction(rows: readonly Row[]): Row[][] {
	const groups: Row[][] = [];
	for (const row of rows) {
		const group = groups.at(-1);
		if (group && group[0]?.tx === row.tx) group.push(row);
		else groups.push([row]);
	}
	return groups;
}
