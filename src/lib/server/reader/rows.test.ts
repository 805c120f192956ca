import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import type { Cursor } from './cursor';
import { olderQuery } from '../history/older-events';
import { CHUNK, missedQuery, readTransactions, unseenQuery } from './rows';

type Plan = {
	'Node Type': string;
	'Actual Rows': number;
	'Actual Loops': number;
	'Rows Removed by Filter'?: number;
	'Rows Removed by Index Recheck'?: number;
	'Relation Name'?: string;
	Plans?: Plan[];
};
type Touched = { scan: string; rows: number };

/** The scans of `events` in a plan, and how many rows each had in its hands. */
function scans(plan: Plan): Touched[] {
	const below = (plan.Plans ?? []).flatMap(scans);
	if (plan['Relation Name'] !== 'events') return below;
	const rows =
		plan['Actual Rows'] +
		(plan['Rows Removed by Filter'] ?? 0) +
		(plan['Rows Removed by Index Recheck'] ?? 0);
	return [{ scan: plan['Node Type'], rows: rows * plan['Actual Loops'] }, ...below];
}

test('at a million rows a drain touches the unseen rows only, with and without statistics', async () => {
	const { sql } = await useDatabase();
	// without what this statement does not read, a million rows are there in seconds
	await sql`alter table nowboard.events set (autovacuum_enabled = false), drop constraint events_event_id_unique`;
	await sql`drop index nowboard.events_created_at`;
	await sql.unsafe(`
		do $$ begin
			for i in 1..100 loop
				insert into nowboard.events (name) select 'x' from generate_series(1, 10000);
				commit;
			end loop;
			for i in 1..5 loop insert into nowboard.events (name) values ('new'); commit; end loop;
		end $$`);
	const txs = (
		await sql<
			{ tx: string }[]
		>`select distinct tx::text::bigint as tx from nowboard.events order by tx`
	).map(({ tx }) => BigInt(tx));
	// two single rows are unseen in holes far below the position, three are new
	const last = txs.at(-4) as bigint;
	const cursor: Cursor = { epoch: 'e', last, holes: [txs.at(-5) as bigint, last - 1n] };
	const start: Cursor = { epoch: 'e', last: 0n, holes: [] };
	const upTo: Cursor = { epoch: 'e', last: txs.at(-2) as bigint, holes: [txs.at(-3) as bigint] };

	const explain = async (query: ReturnType<typeof unseenQuery>) => {
		const [row] = await sql<{ 'QUERY PLAN': { Plan: Plan }[] }[]>`
			explain (analyze, format json) ${query}`;
		return scans(row?.['QUERY PLAN'][0]?.Plan as Plan);
	};
	const unseen = (from: Cursor, passed: readonly bigint[] = []) =>
		explain(unseenQuery(sql, from, CHUNK, passed));
	const missed = (from: Cursor, before: { tx: bigint; id: bigint } | null = null) =>
		explain(missedQuery(sql, from, upTo, before, CHUNK));
	for (const statistics of ['without', 'with']) {
		if (statistics === 'with') await sql`analyze nowboard.events`;
		// more often than the five runs after which a prepared statement may get a generic plan
		for (let run = 0; run < 7; run++) {
			const found = await unseen(cursor);
			expect(found.map(({ scan }) => scan)).toEqual(['Index Scan', 'Index Scan']);
			expect(found.map(({ rows }) => rows)).toEqual([1, 3]);
		}
		// three of 10,000 rows that are passed over, newer than the position and in a hole of it: five single rows are left
		const before: Cursor = {
			epoch: 'e',
			last: txs.at(-8) as bigint,
			holes: [txs.at(-9) as bigint],
		};
		const passed = [-9, -7, -6].map((i) => txs.at(i) as bigint);
		const beside = await unseen(before, passed);
		expect(beside.reduce((sum, { rows }) => sum + rows, 0)).toBe(5);
		// control: without them it has a chunk of their rows in its hands
		expect((await unseen(before)).some(({ rows }) => rows === CHUNK)).toBe(true);
		// of the three, `upTo` has not seen the newest, nor the one in its hole
		const again = await missed(cursor);
		expect(again.map(({ scan }) => scan)).toEqual(['Index Scan']);
		expect(again[0]?.rows).toBeLessThanOrEqual(2);
		// a page of the feed, also when it looks for something
		for (const patterns of [[], [['%needle%'], ['%x%']]]) {
			const older = await explain(olderQuery(sql, { tx: last - 50n, id: 1n }, patterns, 200));
			expect(older).toEqual([{ scan: 'Index Scan', rows: 200 }]);
			expect((await explain(olderQuery(sql, null, patterns, 200)))[0]?.rows).toBe(200);
		}
		// from the beginning of time: a chunk, not the table
		const many = [
			await unseen(start),
			await missed(start),
			await missed(start, { tx: last, id: 1n }),
		];
		expect(many.flat().every(({ rows }) => rows <= CHUNK + 2)).toBe(true);
	}

	// control: asking by the snapshot alone has every row in its hands
	const [naive] = await sql<{ 'QUERY PLAN': { Plan: Plan }[] }[]>`
		explain (analyze, format json) select * from nowboard.events
		where not pg_visible_in_snapshot(tx, pg_current_snapshot()) order by tx, id limit 2000`;
	const touched = scans(naive?.['QUERY PLAN'][0]?.Plan as Plan);
	expect(Math.max(...touched.map(({ rows }) => rows))).toBeGreaterThan(1_000_000);
}, 300_000);

test('the rows of transactions are read in pieces, in order, and not beyond the limits', async () => {
	const { sql } = await useDatabase();
	const big = CHUNK + 10;
	/** a transaction of so many events */
	const write = async (name: string, count: number) => {
		const [one] = await sql<{ tx: string }[]>`
			with made as (
				insert into nowboard.events (name, properties)
				select ${name}, jsonb_build_object('n', n) from generate_series(1, ${count}) n returning tx)
			select tx::text from made limit 1`;
		return BigInt(one?.tx ?? 0);
	};
	const [first, between, second] = [
		await write('first', big),
		await write('between', 3),
		await write('second', 5),
	];
	const read = (rows: number, bytes: number) =>
		readTransactions(sql, [second, first], { rows, bytes });
	const all = await read(big + 5, 1_000_000);
	expect(all?.map(({ name }) => name)).toEqual([
		...Array(big).fill('first'),
		...Array(5).fill('second'),
	]);
	expect(all?.map(({ properties }) => properties['n'])).toEqual(
		[big, 5].flatMap((count) => Array.from({ length: count }, (_, i) => i + 1)),
	);
	expect(all?.some(({ tx }) => tx === between)).toBe(false);
	const bytes = (all ?? []).reduce((sum, row) => sum + row.size, 0);
	expect(await read(big + 5, bytes)).toHaveLength(big + 5);
	expect([await read(big + 4, 1_000_000), await read(big + 5, bytes - 1)]).toEqual([null, null]);
	expect(await readTransactions(sql, [], { rows: 0, bytes: 0 })).toEqual([]);
});
