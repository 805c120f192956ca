/**
 * Moves an installation of before the schema of its own: its tables are in another one, mostly `public`, and its migrations stand in
 * drizzle's shared journal. Instances of the version before go on meanwhile: where the tables were are views of the same names.
 * docs/decisions/0021-own-schema.md
 */
import type { Sql, TransactionSql } from '../db/connect';
import { hasTable, JOURNAL_TABLE, type KnownMigration } from './journal';
import { leaveViews } from './compatibility';

/** drizzle's default, shared by every drizzle application of the database. */
const SHARED_SCHEMA = 'drizzle';
/** Statements queue behind the lock that is waited for: give up soon, and try again. */
const LOCK_WAIT = '2s';

/** What of `known` the shared journal has. Null: there is no such journal, or the role may not read it. */
export async function readShared(
	sql: Sql,
	known: readonly KnownMigration[],
): Promise<KnownMigration[] | null> {
	if (!(await hasTable(sql, SHARED_SCHEMA, JOURNAL_TABLE))) return null;
	const [right] = await sql`
		select has_schema_privilege(${SHARED_SCHEMA}, 'usage')
			and has_table_privilege(${`${SHARED_SCHEMA}.${JOURNAL_TABLE}`}, 'select') as reads`;
	if (!right?.reads) return null;
	const rows = await sql<{ when: string; hash: string }[]>`
		select created_at::text as when, hash from ${sql(SHARED_SCHEMA)}.${sql(JOURNAL_TABLE)}`;
	const there = new Set(rows.map(({ when, hash }) => `${when} ${hash}`));
	return known.filter(({ when, hash }) => there.has(`${when} ${hash}`));
}

/** Where the tables of an installation without a journal of its own are, and whose they are. */
export async function findHome(sql: Sql): Promise<{ schema: string; owner: string } | null> {
	const homes = await sql<{ schema: string; owner: string }[]>`
		select nspname as schema, pg_get_userbyid(relowner) as owner
		from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
		where relname = 'events' and relkind = 'r' and nspname !~ '^pg_'
			and exists (select from pg_catalog.pg_attribute
				where attrelid = pg_class.oid and attname = 'tx' and atttypid = 'pg_catalog.xid8'::regtype)
			and exists (select from pg_catalog.pg_class as other
				where other.relnamespace = pg_namespace.oid and other.relname = 'metrics_snapshots')
			and not exists (select from pg_catalog.pg_class as other
				where other.relnamespace = pg_namespace.oid and other.relname = ${JOURNAL_TABLE})
		order by nspname = 'public' desc, nspname`;
	return homes[0] ?? null;
}

/** Moves everything that the migrations `ours` have made, and their rows of the shared journal. */
export async function adopt(
	tx: TransactionSql,
	ours: readonly KnownMigration[],
	home: { schema: string; owner: string },
): Promise<void> {
	const sql = ours.flatMap(({ statements }) => statements).join('\n');
	const tables = findNames(sql, /^CREATE TABLE "(\w+)"/gm);
	const functions = findNames(sql, /^CREATE (?:OR REPLACE )?FUNCTION "(\w+)"/gm);
	const to = tx.schema.name;
	if (home.schema !== to) {
		const [found] = await tx`select from pg_catalog.pg_namespace where nspname = ${to}`;
		if (!found) await tx`create schema ${tx.schema} authorization ${tx(home.owner)}`;
		await tx`select set_config('lock_timeout', ${LOCK_WAIT}, true)`;
		for (const table of tables)
			await tx`lock table ${tx(home.schema)}.${tx(table)} in access exclusive mode`;
		await tx`select set_config('lock_timeout', '0', true)`;
		for (const table of tables)
			await tx`alter table ${tx(home.schema)}.${tx(table)} set schema ${tx.schema}`;
		for (const name of functions) {
			await tx`alter function ${tx(home.schema)}.${tx(name)}() set schema ${tx.schema}`;
			// what it names is the table, not the view, also before the next migration
			await tx`alter function ${tx.schema}.${tx(name)}() set search_path = ${tx.schema}, pg_temp`;
		}
		await leaveViews(tx, home, tables);
	}
	await moveJournal(tx, ours, home.owner);
}

const findNames = (sql: string, pattern: RegExp) => [
	...new Set([...sql.matchAll(pattern)].map(([, name]) => name as string)),
];

/** An application that shares the journal compares dates with the newest in it: ours must not stay. */
async function moveJournal(tx: TransactionSql, ours: readonly KnownMigration[], owner: string) {
	const own = tx`${tx.schema}.${tx(JOURNAL_TABLE)}`;
	const shared = tx`${tx(SHARED_SCHEMA)}.${tx(JOURNAL_TABLE)}`;
	await createJournal(tx);
	await tx`alter table ${own} owner to ${tx(owner)}`;
	for (const { hash, when } of ours) {
		await tx`insert into ${own} (hash, created_at) values (${hash}, ${when})`;
		await tx`delete from ${shared} where hash = ${hash} and created_at = ${when}`;
	}
	await dropEmptyShared(tx);
}

/** The list of applied migrations, in our own schema. */
export async function createJournal(tx: TransactionSql): Promise<void> {
	await tx`create table ${tx.schema}.${tx(JOURNAL_TABLE)}
		(id serial primary key, hash text not null, created_at bigint)`;
}

/** An empty one that is ours would be in the way of an application with another role. */
async function dropEmptyShared(tx: TransactionSql): Promise<void> {
	const shared = tx`${tx(SHARED_SCHEMA)}.${tx(JOURNAL_TABLE)}`;
	const [row] = await tx<{ empty: boolean; owned: boolean; alone: boolean }[]>`
		select not exists (select from ${shared}) as empty,
			pg_has_role(relowner, 'usage') and pg_has_role(nspowner, 'usage') as owned,
			(select count(*) = 1 from pg_catalog.pg_class as other
				where other.relnamespace = pg_namespace.oid and other.relkind in ('r', 'v', 'm', 'p', 'f')) as alone
		from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
		where nspname = ${SHARED_SCHEMA} and relname = ${JOURNAL_TABLE}`;
	if (!row?.empty || !row.owned || !row.alone) return;
	await tx`drop table ${shared}`;
	await tx.savepoint((inner) => inner`drop schema ${tx(SHARED_SCHEMA)}`).catch(ignoreInUse);
}

/** Something else, a function for instance, is in the schema. */
function ignoreInUse(error: unknown): void {
	if ((error as { code?: string }).code !== '2BP01') throw error;
}
