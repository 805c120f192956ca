/** The readers that others would write, beside ours on the same database: the suite must catch them losing rows. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { withDeadline } from '../../src/lib/server/db/deadline';

export type NaiveReader = {
	name: string;
	ids: Set<number>;
	/** rows that it has shown again */
	twice?: () => number;
	stop(): Promise<void>;
};

type Ask = (sql: Sql) => Promise<number[]>;

/** "Rows with a greater id than the last." */
function byId(): Ask {
	let last = 0;
	return async (sql) => {
		const rows = await sql<
			{ id: string }[]
		>`select id from nowboard.events where id > ${last} order by id`;
		const ids = rows.map(({ id }) => Number(id));
		last = ids.at(-1) ?? last;
		return ids;
	};
}

/** "Rows that the last snapshot did not see": right until a crash hands out again what it has seen the end of. */
function bySnapshot(): Ask {
	let last: string | null = null;
	return async (sql) => {
		const [now] = await sql<{ snapshot: string }[]>`select pg_current_snapshot()::text as snapshot`;
		const snapshot = now?.snapshot ?? '';
		const rows = await sql<{ id: string }[]>`
			select id from nowboard.events where pg_visible_in_snapshot(tx, ${snapshot}::pg_snapshot)
				and (${last}::text is null or not pg_visible_in_snapshot(tx, ${last}::pg_snapshot))
				and tx >= pg_snapshot_xmin(coalesce(${last}, '1:1:')::pg_snapshot)`;
		last = snapshot;
		return rows.map(({ id }) => Number(id));
	};
}

export const NAIVE_READERS = { 'id > last': byId, 'uncut snapshot': bySnapshot };

export function startNaiveReader(name: keyof typeof NAIVE_READERS, url: string): NaiveReader {
	const ask = NAIVE_READERS[name]();
	const ids = new Set<number>();
	let going = true;
	const done = (async () => {
		let sql = connect(url, { max: 1, applicationName: 'naive reader' });
		while (going) {
			try {
				for (const id of await withDeadline(ask(sql), 10_000, 'a naive reader')) ids.add(id);
			} catch {
				void sql.end({ timeout: 0 }).catch(() => {});
				sql = connect(url, { max: 1, applicationName: 'naive reader' });
			}
			await pause(20);
		}
		await sql.end({ timeout: 0 }).catch(() => {});
	})();
	return {
		name,
		ids,
		async stop() {
			going = false;
			await done;
		},
	};
}
