/** Whole lists, measures and the half hour before, against SQL over the same rows: live, and over a range. */
import { expect, test } from 'vitest';
import { readBefore } from '../../src/lib/server/history/half-hour-before';
import { readRange, readRangeValues } from '../../src/lib/server/history/range';
import { countAll } from '../../src/lib/server/history/rollup';
import type { Sql } from '../../src/lib/server/db/connect';
import { startTestInstance, useDatabase } from '../setup/instances';

const AMOUNT = 'props.amount';
const OF_ORDERS = {
	filter: [{ dimension: 'name' as const, operator: ':' as const, value: 'order', negated: false }],
	bound: [],
};

/** 300 orders of 97 amounts, and others; `ages` in seconds before now. */
const insert = (sql: Sql, ages: [from: number, to: number], name = 'order') => sql`
	insert into nowboard.events (name, source, properties, created_at)
	select ${name}, 'web', jsonb_build_object('amount', (i * 37 % 97) * 0.1 - 2, 'plan', 'p' || floor(sqrt(i))),
		now() - (${ages[0]}::int + i % ${ages[1] - ages[0]}::int) * interval '1 second'
	from generate_series(1, 300) i`;

async function measure(sql: Sql) {
	const [found] = await sql<{ [name: string]: number }[]>`
		select count(*)::int, sum(v)::float8, avg(v)::float8, min(v)::float8, max(v)::float8,
			(percentile_disc(0.5) within group (order by v))::float8 as p50,
			(percentile_disc(0.95) within group (order by v))::float8 as p95,
			percentile_cont(0.95) within group (order by v) as between
		from (select (properties ->> 'amount')::numeric as v from nowboard.events where name = 'order') as amounts`;
	const { between, ...measures } = found!;
	return { between, measures };
}
const list = (sql: Sql, key: string) => sql<{ key: string; count: number }[]>`
	select trim(both '"' from (properties -> ${key})::text) as key, count(*)::int as count
	from nowboard.events where name = 'order' group by 1 order by 2 desc, 1`;

test('live and over a range, lists and measures are those of SQL', async () => {
	const { url, sql } = await useDatabase();
	await insert(sql, [1, 1_000]);
	await insert(sql, [1, 1_000], 'other');
	await countAll(sql);
	const instance = await startTestInstance(url);
	const { measures, between } = await measure(sql);
	const { avg, ...exact } = measures;
	const plans = [...(await list(sql, 'plan'))];
	const live = (dimension: 'props.amount' | 'props.plan', text: string, length: number) =>
		instance.values({ ...OF_ORDERS, by: [dimension] }, dimension, text, length);
	const past = (dimension: 'props.amount' | 'props.plan', text: string, length: number) =>
		readRangeValues(sql, {
			...{ ...OF_ORDERS, dimension, text, length },
			...{ range: '24h' as const, zone: 'UTC' },
		});
	for (const values of [await live(AMOUNT, '', 500), await past(AMOUNT, '', 500)]) {
		expect(values.measures).toMatchObject(exact);
		expect(values.measures?.avg).toBeCloseTo(avg!, 12);
		expect([values.values, values.rows.length, values.other]).toEqual([97, 97, 0]);
		// (control) a percentile between two values
		expect(values.measures?.p95).not.toBe(between);
	}
	for (const read of [live, past]) {
		const { rows, other, measures } = await read('props.plan', '', 3);
		expect(rows.map(({ key, count }) => ({ key, count }))).toEqual(plans.slice(0, 3));
		expect([other, measures]).toEqual([
			300 - rows.reduce((sum, { count }) => sum + count, 0),
			null,
		]);
		expect((await read('props.plan', 'P5', 3)).rows.map(({ key }) => key)).toEqual(['p5']);
	}
});

test('a property with a name of JavaScript is one like any other, live and over a range', async () => {
	const { url, sql } = await useDatabase();
	await sql`insert into nowboard.events (name, properties) values
		('order', '{"__proto__": "x", "constructor": "x", "toString": {"a": 1}}'), ('order', '{}')`;
	const instance = await startTestInstance(url);
	const found: unknown[] = [];
	for (const key of ['__proto__', 'constructor', 'toString']) {
		const dimension = `props.${key}` as const;
		const asked = { ...OF_ORDERS, dimension, text: '', length: 5 };
		const live = await instance.values({ ...OF_ORDERS, by: [dimension] }, dimension, '', 5);
		const past = await readRangeValues(sql, { ...asked, range: '24h', zone: 'UTC' });
		const toCounts = (values: typeof past) => values.rows.map(({ key, count }) => [key, count]);
		expect(toCounts(past), key).toEqual(toCounts(live));
		found.push(toCounts(live));
	}
	const set = [
		['', 1],
		['x', 1],
	];
	expect(found).toEqual([set, set, [['', 2]]]);
});

test('the half hour before is counted, and is not known where events begin later', async () => {
	const { sql } = await useDatabase();
	await insert(sql, [1, 1_000]);
	await insert(sql, [1_900, 3_500], 'order');
	const view = { ...OF_ORDERS, by: ['props.plan' as const] };
	expect((await readBefore(sql, view)).tables).toBeNull();
	const range = { ...view, range: '30min' as const, zone: 'UTC' };
	const [row] = (await readRange(sql, range)).tables['props.plan']!.rows;
	expect(row).not.toHaveProperty('before');

	await insert(sql, [3_700, 3_800], 'order');
	const before = await readBefore(sql, view);
	const expected = await sql<{ key: string; count: number }[]>`
		select properties ->> 'plan' as key, count(*)::int as count from nowboard.events
		where created_at > ${before.at}::timestamptz - interval '60 minutes'
			and created_at <= ${before.at}::timestamptz - interval '30 minutes'
		group by 1 order by 2 desc, 1`;
	expect(before.tables).toEqual({ 'props.plan': [...expected] });
	expect((await readRange(sql, range)).tables['props.plan']!.rows[0]).toHaveProperty('before');
});
