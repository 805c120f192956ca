/**
 * Brings a database to the schema of `drizzle/`: all pending migrations in one transaction, under a lock, so that any number of
 * instances may start at once. When nothing is pending it creates nothing and needs no rights but to read the journal.
 * Needs a direct connection: behind a transaction pooler a session lock locks nothing. A database that is ahead of this version is
 * used as it is (docs/decisions/0013-older-build-newer-schema.md).
 */
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import postgres from 'postgres';
import { adopt, createJournal, findHome, readShared } from './adopt';
import { connect, type Limits, type Sql, type TransactionSql } from '../db/connect';
import { DatabaseProblem, toCode } from '../db/errors';
import { findLimits } from '../db/limits';
import {
	findDifference,
	hasTable,
	JOURNAL_TABLE,
	readApplied,
	readMigrations,
	type KnownMigration,
} from './journal';
import { DEFAULT_SCHEMA } from '../db/own-schema';

/** "nowboard" in ASCII; any constant does that no other program locks. */
const LOCK_KEY = '7957710331246113380';
/** Long enough for another instance to build an index, short enough to notice one that hangs. */
const LOCK_TIMEOUT_MS = 5 * 60_000;
/** SQLSTATE of a lock_timeout that passed. */
const LOCK_NOT_AVAILABLE = '55P03';
/** That, and a deadlock with a statement of another instance. */
const LOCKED = [LOCK_NOT_AVAILABLE, '40P01'];
const LOCK_PAUSE_MS = 500;

/**
 * Row of `meta` that a migration writes when older versions must not use the database any more: how many migrations a version has
 * to know. Without it, what is newer is taken for an addition.
 */
export const NEEDS_KEY = 'needs_migrations';

export type MigrateOptions = {
	schema?: string;
	/** the folder with the SQL files and `meta/_journal.json`; relative to the working directory */
	folder?: string;
	lockTimeoutMs?: number;
	/** of this address, when they are known; otherwise they are asked for */
	limits?: Limits;
	/** told when the database is ahead of this version, which goes on */
	warn?: (message: string) => void;
};

/** Returns how many migrations were applied by this call. Throws, before it changes anything, when database and folder do not agree. */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<number> {
	const known = readMigrations(resolve(options.folder ?? 'drizzle'));
	const limits = options.limits ?? (await findLimits(url));
	// one connection that is never replaced: the lock belongs to it
	const client = connect(url, {
		schema: options.schema ?? DEFAULT_SCHEMA,
		max: 1,
		idleTimeout: null,
		maxLifetime: null,
		prepare: false,
		limits,
	});
	try {
		await lock(client, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS);
		await adoptOld(client, known, options);
		const applied = await readApplied(client);
		const refusal =
			findDifference(known, applied) ??
			findNeed(known, applied.length > 0 ? await readNeed(client) : 0);
		if (refusal) throw new Error(refusal);
		const ahead = applied.length - known.length;
		if (ahead > 0)
			options.warn?.(
				`The database has ${ahead} ${ahead === 1 ? 'migration' : 'migrations'} of a newer version of Nowboard; this one goes on with what it knows.`,
			);
		const pending = known.slice(applied.length);
		if (pending.length > 0) await client.begin((tx) => apply(tx, pending));
		return pending.length;
	} finally {
		// closing the connection frees the lock
		await client.end({ timeout: 5 });
	}
}

/**
 * An installation of before the schema of its own. Once it is moved, and in a new database, this is one question. Only the default
 * schema takes it over: with another, this is a second installation beside it.
 */
async function adoptOld(
	client: Sql,
	known: readonly KnownMigration[],
	{ lockTimeoutMs: timeoutMs = LOCK_TIMEOUT_MS, warn }: MigrateOptions,
) {
	const to = client.schema.name;
	if (await hasTable(client, to, JOURNAL_TABLE)) return;
	const home = await findHome(client);
	if (!home) return;
	if (to !== DEFAULT_SCHEMA && to !== home.schema)
		return warn?.(
			`The schema "${home.schema}" holds the events of an earlier version of Nowboard. They stay there: DATABASE_SCHEMA is "${to}", and only "${DEFAULT_SCHEMA}" takes them over.`,
		);
	const ours = await readShared(client, known);
	if (!ours?.length)
		throw new DatabaseProblem(
			'forbidden',
			`The schema "${home.schema}" holds the tables of an earlier version of Nowboard, and the role cannot read which migrations they have.`,
			`run the migrations once as ${home.owner}, who owns the tables: "node build/migrate.js" or "npm run db:migrate"`,
		);
	const refusal = findDifference(ours, known);
	if (refusal) throw new Error(refusal);
	for (const until = performance.now() + timeoutMs; ; await pause(LOCK_PAUSE_MS))
		try {
			return await client.begin((tx) => adopt(tx, ours, home));
		} catch (error) {
			if (!LOCKED.includes(toCode(error)) || performance.now() > until) throw error;
		}
}

async function lock(client: Sql, timeoutMs: number): Promise<void> {
	await client`SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', ${`${timeoutMs}ms`}, false)`;
	try {
		await client`SELECT pg_advisory_lock(${LOCK_KEY}::bigint)`;
	} catch (cause) {
		if (!(cause instanceof postgres.PostgresError && cause.code === LOCK_NOT_AVAILABLE))
			throw cause;
		throw new Error(
			`Another process has been migrating this database for ${timeoutMs / 1000} s. Wait for it, or end it.`,
			{ cause },
		);
	}
}

/**
 * Migrations name no schema: each runs with ours as the only place to look and to create in, until the end of the transaction.
 * A function that must not depend on its caller's path keeps this one: `SET search_path FROM CURRENT`.
 */
async function apply(tx: TransactionSql, pending: readonly KnownMigration[]): Promise<void> {
	const [found] = await tx`select from pg_catalog.pg_namespace where nspname = ${tx.schema.name}`;
	if (!found) await tx`create schema ${tx.schema}`;
	await refuseForeignTables(tx, pending);
	const journal = tx`${tx.schema}.${tx(JOURNAL_TABLE)}`;
	if (!(await hasTable(tx, tx.schema.name, JOURNAL_TABLE))) await createJournal(tx);
	await tx`select set_config('search_path', ${`${tx.schema}, pg_temp`}, true)`;
	for (const { statements, hash, when } of pending) {
		for (const statement of statements) await tx.unsafe(statement);
		await tx`insert into ${journal} (hash, created_at) values (${hash}, ${when})`;
	}
}

/** A table that a migration would create and that is there already was made by another application. */
async function refuseForeignTables(tx: TransactionSql, pending: readonly KnownMigration[]) {
	const sql = pending.flatMap(({ statements }) => statements).join('\n');
	const names = [...sql.matchAll(/^CREATE TABLE "(\w+)"/gm)].map(([, name]) => name as string);
	for (const name of names) {
		if (!(await hasTable(tx, tx.schema.name, name))) continue;
		throw new DatabaseProblem(
			'foreign',
			`The schema "${tx.schema.name}" holds "${name}", which Nowboard has not made.`,
			`ALTER TABLE ${tx.schema.name}.${name} RENAME TO ${name}_other, or set DATABASE_SCHEMA to another schema for Nowboard`,
		);
	}
}

/** How many migrations a version has to know; 0: no migration has said so. */
async function readNeed(client: Sql): Promise<number> {
	const [need] = await client`select value from ${client.schema}.meta where key = ${NEEDS_KEY}`;
	return Number(need?.value ?? 0);
}

function findNeed(known: readonly KnownMigration[], need: number): string | undefined {
	if (need <= known.length) return undefined;
	return (
		`The database has been changed by a newer version so that only versions with at least ${need} migrations may use it, ` +
		`and this one knows ${known.length}. Start a newer one.`
	);
}
