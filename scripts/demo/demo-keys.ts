/**
 * The keys of the demo: what people copy from its page is what they will send with later, so it carries a key; and its
 * visitors send with keys too. They are kept in a file of the data folder, so that a copied one is good after a restart: the
 * database has hashes alone.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sql } from '../../src/lib/server/db/connect';
import { createKey, hashKey, isKey } from '../../src/lib/server/keys/key-store';
import type { KeyKind } from '../../src/lib/server/keys/parse-new-key';

/** What each is for, and the source of its events; `yours` tells what people send from what is simulated. */
const KEYS = {
	web: { kind: 'secret', source: 'web', name: 'demo: the simulated site' },
	api: { kind: 'secret', source: 'api', name: 'demo: the simulated server' },
	public: { kind: 'public', source: 'yours', name: 'demo: for your pages' },
	secret: { kind: 'secret', source: 'yours', name: 'demo: for your servers' },
} as const satisfies Record<string, { kind: KeyKind; source: string; name: string }>;
type Name = keyof typeof KEYS;
const NAMES = Object.keys(KEYS) as Name[];

export type DemoKeys = Record<Name, string>;

/** Those of the file that still work, and new ones in the place of the others. @param file readable by its owner alone */
export async function provideDemoKeys(sql: Sql, file: string): Promise<DemoKeys> {
	const kept = readKept(file);
	const hashes = Object.values(kept).map(hashKey);
	const rows = await sql<{ hash: string }[]>`
		SELECT hash FROM ${sql.schema}.ingest_keys WHERE revoked_at IS NULL AND hash IN ${sql(['', ...hashes])}`;
	const good = new Set(rows.map(({ hash }) => hash));
	const keys = { ...kept };
	for (const name of NAMES) {
		const before = kept[name];
		if (before && good.has(hashKey(before))) continue;
		keys[name] = (await createKey(sql, { ...KEYS[name], origins: [] }, 'demo')).key;
	}
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, `${JSON.stringify(keys, null, '\t')}\n`, { mode: 0o600 });
	return keys as DemoKeys;
}

/** Replaces missing or broken keys. */
function readKept(file: string): Partial<DemoKeys> {
	let kept: unknown;
	try {
		kept = JSON.parse(readFileSync(file, 'utf8'));
	} catch {
		return {};
	}
	const entries = Object.entries(kept ?? {}).filter(
		([name, key]) => Object.hasOwn(KEYS, name) && typeof key === 'string' && isKey(key),
	);
	return Object.fromEntries(entries) as Partial<DemoKeys>;
}
