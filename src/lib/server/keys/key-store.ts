/**
 * Ingest keys: create, list, rotate, revoke, find. The table keeps only a SHA-256. Why not bcrypt or
 * scrypt: they slow down guessing passwords, but 32 random bytes cannot be guessed, and every request waits
 * for the check. Looking up the hash leaks no useful timing: it says nothing about the key.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from '../db/connect';
import type { KeyKind, NewKey } from './parse-new-key';
import { listNewest, type Listed } from '../db/list-newest';

export type IngestKey = NewKey & {
	id: number;
	/** its first characters */
	prefix: string;
};
export type ListedKey = IngestKey & {
	createdAt: Date;
	revokedAt: Date | null;
	/** to the minute */
	lastUsedAt: Date | null;
};
/** `key` is shown once and cannot be recovered. */
export type MadeKey = ListedKey & { key: string };
/** Where a key was changed, for the audit log. */
export type KeyVia = 'page' | 'command' | 'demo';
/** `unnoted`: its use is to be noted by `noteUse`. */
export type FoundKey = IngestKey & { hash: string; unnoted: boolean };

const BEGINNINGS: Record<KeyKind, string> = { public: 'nb_pub_', secret: 'nb_sec_' };
const KEY_BYTES = 32;
const FORM = /^nb_(pub|sec)_[A-Za-z0-9_-]{43}$/;
/** Of a key: the kind and six characters, 36 of its 256 bits. */
const PREFIX_LENGTH = 13;
const NOTED_EVERY = '1 minute';
/** Noting a use is a courtesy: checks must not wait for it. */
const NOTE_TIMEOUT_MS = 500;

/** Arrays as JSON: our clients know the server's array types no more than its others (`fetch_types`). */
const COLUMNS = `id, prefix, kind, source, name, to_json(origins) AS origins`;
const TIMES = `created_at AS "createdAt", revoked_at AS "revokedAt", last_used_at AS "lastUsedAt"`;

/** Whether a text looks like a key; what does not need not be looked up. */
export function isKey(text: string): boolean {
	return FORM.test(text);
}

/** As it is stored: 64 hexadecimal digits. */
export function hashKey(key: string): string {
	return createHash('sha256').update(key).digest('hex');
}

function makeKey(kind: KeyKind): { key: string; hash: string; prefix: string } {
	const key = BEGINNINGS[kind] + randomBytes(KEY_BYTES).toString('base64url');
	return { key, hash: hashKey(key), prefix: key.slice(0, PREFIX_LENGTH) };
}

/** Creates a key and its line in the audit log. The key itself is never readable again. */
export async function createKey(sql: Sql, input: NewKey, via: KeyVia): Promise<MadeKey> {
	const { key, hash, prefix } = makeKey(input.kind);
	const [row] = await sql<ListedKey[]>`
		WITH made AS (
			INSERT INTO ${sql.schema}.ingest_keys (hash, prefix, kind, source, name, origins)
			VALUES (${hash}, ${prefix}, ${input.kind}, ${input.source}, ${input.name},
				ARRAY(SELECT jsonb_array_elements_text(${sql.json(input.origins)}::jsonb)))
			RETURNING *
		), audited AS (
			INSERT INTO ${sql.schema}.audit (action, subject) SELECT 'key made', ${toSubject(sql, via)} FROM made
		)
		SELECT ${sql.unsafe(COLUMNS)}, ${sql.unsafe(TIMES)} FROM made`;
	if (!row) throw new Error('INSERT … RETURNING returned nothing.');
	return { ...toKey(row), key };
}

/** All of them, revoked ones too, oldest first. */
export async function listKeys(sql: Sql): Promise<ListedKey[]> {
	const rows = await sql<ListedKey[]>`
		SELECT ${sql.unsafe(COLUMNS)}, ${sql.unsafe(TIMES)} FROM ${sql.schema}.ingest_keys ORDER BY id`;
	return rows.map(toKey);
}

/** As the settings page lists them. Throws when the database does not answer in time. */
export async function listNewestKeys(sql: Sql): Promise<Listed<ListedKey>> {
	const { rows, more } = await listNewest<ListedKey>(
		sql,
		'ingest_keys',
		sql`${sql.unsafe(COLUMNS)}, ${sql.unsafe(TIMES)}`,
		sql`revoked_at IS NOT NULL`,
	);
	return { rows: rows.map(toKey), more };
}

/** Another key in the place of this one, which is revoked in the same moment. Null: there is none, or it was revoked before. */
export async function rotateKey(sql: Sql, id: number, via: KeyVia): Promise<MadeKey | null> {
	const [old] = await sql<
		{ kind: KeyKind }[]
	>`SELECT kind FROM ${sql.schema}.ingest_keys WHERE id = ${id}`;
	if (!old) return null;
	const { key, hash, prefix } = makeKey(old.kind);
	const [row] = await sql<ListedKey[]>`
		WITH old AS (
			UPDATE ${sql.schema}.ingest_keys SET revoked_at = date_trunc('milliseconds', clock_timestamp())
			WHERE id = ${id} AND revoked_at IS NULL
			RETURNING *
		), audited AS (
			INSERT INTO ${sql.schema}.audit (action, subject)
			SELECT 'key rotated', ${toSubject(sql, via)} || ${`, now ${prefix}…`} FROM old
		), made AS (
			INSERT INTO ${sql.schema}.ingest_keys (hash, prefix, kind, source, name, origins)
			SELECT ${hash}, ${prefix}, kind, source, name, origins FROM old
			RETURNING *
		)
		SELECT ${sql.unsafe(COLUMNS)}, ${sql.unsafe(TIMES)} FROM made`;
	return row ? { ...toKey(row), key } : null;
}

/** Called again it changes nothing: the first time counts. Null: there is no such key. */
export async function revokeKey(sql: Sql, id: number, via: KeyVia): Promise<ListedKey | null> {
	await sql`
		WITH revoked AS (
			UPDATE ${sql.schema}.ingest_keys SET revoked_at = date_trunc('milliseconds', clock_timestamp())
			WHERE id = ${id} AND revoked_at IS NULL
			RETURNING *
		)
		INSERT INTO ${sql.schema}.audit (action, subject) SELECT 'key revoked', ${toSubject(sql, via)} FROM revoked`;
	const [row] = await sql<ListedKey[]>`
		SELECT ${sql.unsafe(COLUMNS)}, ${sql.unsafe(TIMES)} FROM ${sql.schema}.ingest_keys WHERE id = ${id}`;
	return row ? toKey(row) : null;
}

/** What the audit calls a key: enough to find it in the list. */
const toSubject = (sql: Sql, via: KeyVia) => sql`prefix || '… of ' || source || ${` (${via})`}`;

/**
 * Those of `hashes` that are keys and not revoked, in one message of the simple protocol: one round trip, also behind a
 * transaction pooler. The database gives up after `timeoutMs`, so that what we abandon does not pile up there.
 * @param hashes from `hashKey`: hexadecimal digits stand in SQL as they are
 */
export async function findKeys(
	sql: Sql,
	hashes: readonly string[],
	timeoutMs: number,
): Promise<FoundKey[]> {
	const results: unknown = await sql
		.unsafe(
			`SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)};
			SELECT hash, ${COLUMNS},
				coalesce(last_used_at < clock_timestamp() - interval '${NOTED_EVERY}', true) AS unnoted
			FROM ${sql.schema}.ingest_keys
			WHERE revoked_at IS NULL AND hash = ANY ('{${hashes.join()}}')`,
		)
		.simple();
	return lastOf<FoundKey>(results).map(toKey);
}

/** Writes the time of the last use, where that is a minute old. Never waits for another who does the same. */
export async function noteUse(sql: Sql, hashes: readonly string[]): Promise<void> {
	await sql
		.unsafe(
			`SET LOCAL statement_timeout = ${NOTE_TIMEOUT_MS};
			UPDATE ${sql.schema}.ingest_keys SET last_used_at = date_trunc('milliseconds', clock_timestamp())
			WHERE id IN (
				SELECT id FROM ${sql.schema}.ingest_keys
				WHERE hash = ANY ('{${hashes.join()}}')
					AND coalesce(last_used_at < clock_timestamp() - interval '${NOTED_EVERY}', true)
				FOR UPDATE SKIP LOCKED
			)`,
		)
		.simple();
}

/** postgres.js folds the results of SETs into one; the last is the statement's. */
function lastOf<Row>(results: unknown): Row[] {
	return (results as Row[][]).at(-1) ?? [];
}

/** bigint comes as text. */
function toKey<Row extends IngestKey>(row: Row): Row {
	return { ...row, id: Number(row.id) };
}
