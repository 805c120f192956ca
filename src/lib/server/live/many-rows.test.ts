/** Rows read by the thousand against the same rows read one by one: whatever the columns hold. */
import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { toRow, type RawRow } from '../reader/row';
import { columns } from '../reader/rows';
import { storeColumns, toStoreRows, type RawStoreRow } from './many-rows';

const deep = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`;
const ODD = [
	'{}',
	'{"path": "/a", "n": 1.5, "yes": true, "none": null}',
	'{"id": 12345678901234567890, "huge": 1e400, "small": 1e-400}',
	'{"text": "a \\\\ backslash, a \\"quote\\", a tab\\t and a line\\n, \\u2028, 🦊"}',
	'{"__proto__": {"a": 1}, "constructor": "x", "": "empty key"}',
	`{"deep": ${deep(60)}}`,
	`{"deep": ${deep(70)}}`,
	`{"deep": ${deep(3_000)}}`,
	`{"long": "${'x'.repeat(9_000)}"}`,
	'{"list": [1, "two", {"three": 3}], "looks": "1234567890123456789"}',
];
const CONTEXTS = [
	null,
	'{}',
	'{"country": "DE", "unknown": "x", "os": ""}',
	'{"country": 12345678901234567890, "browser": ["Firefox"], "device": "desktop"}',
	'[]',
	'"text"',
	'7',
	'null',
	deep(80),
];

test('they are the same', async () => {
	const { sql } = await useDatabase();
	// before there was such a rule
	await sql`alter table nowboard.events drop constraint events_context_object`;
	for (const properties of ODD)
		for (const context of CONTEXTS)
			await sql`insert into nowboard.events (name, session_id, user_id, properties, context, created_at) values
				('a	tab "and" a \\ ', ${context === null ? null : 's"1'}, ${'u\\N'}, ${properties}::text::jsonb, ${context}::text::jsonb,
				now() - random() * interval '1 year')`;
	const singly = await sql<RawRow[]>`select ${columns(sql)} from nowboard.events order by id`;
	const many = await sql<
		RawStoreRow[]
	>`select ${storeColumns(sql)} from nowboard.events order by id`;
	expect(many).toHaveLength(ODD.length * CONTEXTS.length);
	expect(toStoreRows(many)).toEqual(
		singly
			.map(toRow)
			.map(({ name, source, sessionId, userId, createdAt, properties, context }) => ({
				...{ name, source, sessionId, userId, createdAt, properties, context },
			})),
	);
	// (control) what JSON.parse alone would have made of them is something else
	const [, , big] = ODD.map((text) => JSON.parse(text) as object);
	expect(toStoreRows(many).map(({ properties }) => properties)).not.toContainEqual(big);
});
