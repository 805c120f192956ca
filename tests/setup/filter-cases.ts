/** Rows and filters of every kind, each clause with what it means in SQL: for tests that compare a filter with SQL. */
import type { Json } from '../../src/lib/protocol';
import type { Sql } from '../../src/lib/server/db/connect';
import fc from './fast-check';

/** Clauses, each with what it means in SQL, written by hand. */
export const CLAUSES: Readonly<Record<string, string>> = {
	'name:page_view': `name = 'page_view'`,
	'-name:page_view': `name <> 'page_view'`,
	'name^sign': `name like 'sign%'`,
	'source:shop': `source = 'shop'`,
	'path:/a': `properties ->> 'path' = '/a'`,
	'-path:/a': `properties ->> 'path' is distinct from '/a'`,
	'path~b': `properties ->> 'path' like '%b%'`,
	'path:': `jsonb_typeof(properties -> 'path') is distinct from 'string'`,
	'country:DE': `context ->> 'country' = 'DE'`,
	'country:AT': `context ->> 'country' = 'AT'`,
	'-country:': `context ->> 'country' is not null`,
	'session:s1': `session_id = 's1'`,
	'user:anna': `user_id = 'anna'`,
	'-user:': `user_id is not null`,
	'props.amount>=10': `case when jsonb_typeof(properties -> 'amount') = 'number' then (properties ->> 'amount')::float8 >= 10 else false end`,
	'-props.amount<2.5': `case when jsonb_typeof(properties -> 'amount') = 'number' then (properties ->> 'amount')::float8 >= 2.5 else true end`,
	'props.paid:true': `properties ->> 'paid' = 'true'`,
	'referrer:x.test': `properties ->> 'referrer' in ('https://www.x.test/a', 'http://X.test:8080/')`,
};
const value = <T>(...values: T[]) => fc.constantFrom(...values);
export const rows = fc.array(
	fc.record({
		name: value('page_view', 'page_view', 'signup', 'order'),
		source: value('web', 'shop'),
		session: value(null, 's1', 's2', 's3'),
		path: value<Json>(null, '/a', '/b', '/a/b', 7, false),
		amount: value<Json>(null, 1, 2.5, 10, 1e3, -4, 1e-7, true, 'ten', '', [1]),
		paid: value(null, true, false),
		referrer: value(null, 'https://www.x.test/a', 'http://X.test:8080/', 'https://y.test'),
		country: value(null, 'DE', 'AT', 'FR'),
		times: value(1, 1, 1, 2),
		/** seconds before now; a negative one is in the future */
		age: value(0, 1, 59, 61, 240, 299, 301, 1_500, 1_799, 1_801, 7_200, -3_600),
	}),
	{ minLength: 1, maxLength: 40 },
);
export type Row = typeof rows extends fc.Arbitrary<(infer R)[]> ? R : never;

/** The condition in SQL: `:` clauses of one dimension are alternatives. */
export function toWhere(clauses: readonly string[]): string {
	const groups = new Map<string, string[]>();
	for (const one of clauses) {
		const key = /^[a-z._]+:/.exec(one)?.[0] ?? one;
		groups.set(key, [...(groups.get(key) ?? []), one]);
	}
	const where = [...groups.values()].map(
		(group) => `(${group.map((one) => `(${CLAUSES[one]})`).join(' or ')})`,
	);
	return where.join(' and ') || 'true';
}

export const insert = (sql: Sql, row: Row) => {
	const { path, amount, paid, referrer, country } = row;
	const eventId = crypto.randomUUID();
	const properties = Object.fromEntries(
		Object.entries({ path, amount, paid, referrer }).filter(([, one]) => one !== null),
	);
	return sql`insert into nowboard.events (event_id, name, source, session_id, user_id, properties, context, created_at)
		select ${eventId}::uuid, ${row.name}, ${row.source}, ${row.session}, ${row.session === 's1' ? 'anna' : null}, ${JSON.stringify(properties)}::text::jsonb,
			${country === null ? null : JSON.stringify({ country })}::text::jsonb,
			now() - ${row.age}::float8 * interval '1 second'
		from generate_series(1, ${row.times}::int) on conflict (event_id) do nothing`;
};
