import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hashKey, listKeys, revokeKey } from '../../src/lib/server/keys/key-store';
import { useDatabase } from '../../tests/setup/instances';
import { provideDemoKeys } from './demo-keys';

test('the demo’s keys are made once, kept for its owner alone, and replaced when they work no more', async () => {
	const { sql } = await useDatabase();
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-keys-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	const file = join(folder, 'data', 'demo-keys.json');
	const keys = await provideDemoKeys(sql, file);
	expect(await provideDemoKeys(sql, file)).toEqual(keys);
	expect(statSync(file).mode & 0o077).toBe(0);
	const made = await listKeys(sql);
	expect(made.map(({ kind, source }) => `${kind} ${source}`)).toEqual([
		'secret web',
		'secret api',
		'public yours',
		'secret yours',
	]);

	await revokeKey(sql, made[2]!.id, 'command');
	const next = await provideDemoKeys(sql, file);
	expect(next).toEqual({ ...keys, public: next.public });
	expect(next.public).not.toBe(keys.public);
	writeFileSync(file, '{"public": 7, "secret"');
	const fresh = await provideDemoKeys(sql, file);
	expect(new Set([...Object.values(fresh), ...Object.values(next)]).size).toBe(8);
	expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(fresh);
	const known = new Set(
		(await sql`select hash from nowboard.ingest_keys`).map(({ hash }) => hash as string),
	);
	for (const key of Object.values(fresh)) expect(known).toContain(hashKey(key));
});
