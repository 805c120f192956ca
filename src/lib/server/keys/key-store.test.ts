import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../../tests/setup/database';
import { readAudit } from '../access/audit-log';
import { connect, type Sql } from '../db/connect';
import { createKey, isKey, listKeys, noteUse, revokeKey, rotateKey } from './key-store';
import type { NewKey } from './parse-new-key';

const SHOP: NewKey = {
	kind: 'public',
	source: 'shop',
	name: 'the shop',
	origins: ['https://a.example', 'https://{b}",.example'],
};
const ORDERS: NewKey = { kind: 'secret', source: 'orders', name: 'backend', origins: [] };

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
	database = await createDatabase();
	({ sql } = database);
});
beforeEach(() => sql`TRUNCATE nowboard.ingest_keys, nowboard.audit RESTART IDENTITY`);
afterAll(() => database.drop());

/** A further connection, for what must happen at the same time. */
function another(): Sql {
	const client = connect(database.url, { max: 1 });
	onTestFinished(() => client.end({ timeout: 1 }));
	return client;
}

test('a key is random, says what kind it is, and is told once: the table holds its SHA-256 and its first characters', async () => {
	const made = [
		await createKey(sql, SHOP, 'command'),
		await createKey(sql, ORDERS, 'command'),
		await createKey(sql, ORDERS, 'command'),
	];
	const keys = made.map(({ key }) => key);
	expect(keys.map((key) => [isKey(key), key.length, key.slice(0, 7)])).toEqual([
		[true, 50, 'nb_pub_'],
		[true, 50, 'nb_sec_'],
		[true, 50, 'nb_sec_'],
	]);
	expect(new Set(keys).size).toBe(3);
	const whole = await sql`SELECT row_to_json(ingest_keys)::text AS text FROM nowboard.ingest_keys`;
	for (const key of keys) for (const { text } of whole) expect(text).not.toContain(key.slice(13));
	// what Postgres makes of the keys
	const rows = await sql`
		SELECT key.n::int, hash = encode(sha256(convert_to(key.text, 'utf8')), 'hex') AS hashed, prefix = left(key.text, 13) AS recognised
		FROM jsonb_array_elements_text(${sql.json(keys)}::jsonb) WITH ORDINALITY AS key (text, n)
		JOIN nowboard.ingest_keys ON id = key.n ORDER BY 1`;
	expect([...rows]).toEqual([1, 2, 3].map((n) => ({ n, hashed: true, recognised: true })));
});

test('the list has what was said at the making, whatever characters it has', async () => {
	await createKey(sql, SHOP, 'command');
	await createKey(sql, ORDERS, 'command');
	const time = expect.any(Date) as Date;
	expect(await listKeys(sql)).toEqual([
		{
			...SHOP,
			id: 1,
			prefix: expect.stringMatching(/^nb_pub_.{6}$/) as string,
			createdAt: time,
			revokedAt: null,
			lastUsedAt: null,
		},
		{
			...ORDERS,
			id: 2,
			prefix: expect.stringMatching(/^nb_sec_.{6}$/) as string,
			createdAt: time,
			revokedAt: null,
			lastUsedAt: null,
		},
	]);
});

test('revoked again, a key was revoked the first time; one that does not exist is null', async () => {
	const { id } = await createKey(sql, SHOP, 'command');
	const first = await revokeKey(sql, id, 'command');
	expect(first?.revokedAt).toBeInstanceOf(Date);
	expect(await revokeKey(sql, id, 'command')).toEqual(first);
	expect(await revokeKey(sql, 999, 'command')).toBeNull();
});

test('rotated, another key stands in its place and it is revoked; once', async () => {
	const old = await createKey(sql, SHOP, 'command');
	const fresh = await rotateKey(sql, old.id, 'command');
	expect(fresh).toMatchObject({ ...SHOP, id: 2, revokedAt: null });
	expect(fresh?.key).not.toBe(old.key);
	expect(await rotateKey(sql, old.id, 'command')).toBeNull();
	expect(await rotateKey(sql, 999, 'command')).toBeNull();
	expect((await listKeys(sql)).map(({ id, revokedAt }) => [id, revokedAt !== null])).toEqual([
		[1, true],
		[2, false],
	]);
});

test('of two rotations at once, one makes a key', async () => {
	const { id } = await createKey(sql, SHOP, 'command');
	const clients = [another(), another()];
	const made = await Promise.all(clients.map((client) => rotateKey(client, id, 'command')));
	expect(made.filter((one) => one !== null)).toHaveLength(1);
	expect(await listKeys(sql)).toHaveLength(2);
});

test('records a use once a minute, without waiting for locks', async () => {
	const { id } = await createKey(sql, SHOP, 'command');
	const [{ hash } = { hash: '' }] = await sql<
		{ hash: string }[]
	>`SELECT hash FROM nowboard.ingest_keys`;
	const lastUse = async () => (await listKeys(sql))[0]?.lastUsedAt?.toISOString();

	await noteUse(sql, [hash]);
	const first = await lastUse();
	expect(first).toBeDefined();
	await noteUse(sql, [hash]);
	expect(await lastUse()).toBe(first);

	await sql`UPDATE nowboard.ingest_keys SET last_used_at = now() - interval '61 seconds'`;
	const before = await lastUse();
	await sql.begin(async (holding) => {
		await holding`SELECT FROM nowboard.ingest_keys WHERE id = ${id} FOR UPDATE`;
		await noteUse(another(), [hash]);
	});
	expect(await lastUse()).toBe(before);
	await noteUse(sql, [hash]);
	expect(await lastUse()).not.toBe(before);
});

test.each([
	['hash', 'x', 'ingest_keys_hash_sha256'],
	['kind', 'other', 'ingest_keys_kind'],
	['source', '', 'ingest_keys_source_length'],
	['source', 'x'.repeat(121), 'ingest_keys_source_length'],
	['name', '', 'ingest_keys_name_length'],
	['kind', 'secret', 'ingest_keys_origins_public'],
])('the table refuses %s "%s": %s', async (column, value, constraint_name) => {
	await createKey(sql, SHOP, 'command');
	await expect(
		sql`UPDATE nowboard.ingest_keys SET ${sql({ [column]: value })}`,
	).rejects.toMatchObject({
		constraint_name,
	});
});

test('who made, rotated and revoked keys is written down: where, of what, and once', async () => {
	const { key, id, prefix } = await createKey(sql, SHOP, 'command');
	const fresh = await rotateKey(sql, id, 'page');
	if (!fresh) throw new Error('nothing was rotated');
	await rotateKey(sql, id, 'page');
	for (let i = 0; i < 2; i++) await revokeKey(sql, fresh.id, 'command');
	await revokeKey(sql, 999, 'command');
	const audit = await readAudit(sql);
	expect(audit.map(({ action, subject }) => [action, subject])).toEqual([
		['key revoked', `${fresh.prefix}… of shop (command)`],
		['key rotated', `${prefix}… of shop (page), now ${fresh.prefix}…`],
		['key made', `${prefix}… of shop (command)`],
	]);
	expect(JSON.stringify(audit)).not.toContain(key);
});
