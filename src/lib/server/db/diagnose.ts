/**
 * Finds out what the error alone does not say: whether a slow statement waits for a lock, which rights the role lacks; and
 * the statement that fixes it. One short query after such a failure, none before.
 */
import type { Sql } from './connect';
import type { DatabaseTrouble } from '../../protocol';
import { DeadlineError, withDeadline } from './deadline';
import { dropClient } from './renewing-client';
import { DatabaseProblem, findCause, toCode, toDatabaseTrouble } from './errors';

const DEADLINE_MS = 1_000;

/** `fix`: a statement or a setting, when one is known. It holds `<role>` and `<database>` instead of their names. */
export type Diagnosis = { trouble: DatabaseTrouble; fix: string | null };

/** Never rejects. @param connect makes the client for this one query */
export async function explain(error: unknown, connect: () => Sql): Promise<Diagnosis> {
	const trouble = toDatabaseTrouble(error);
	if (trouble === 'slow') return ask(connect, findLocks, { trouble, fix: null });
	if (trouble === 'forbidden')
		return ask(connect, findMissingRights, { trouble, fix: toFix(error, trouble) });
	return { trouble, fix: toFix(error, trouble) };
}

/** With the names that the client logs in with: for the log and the terminal, not for a page that anyone may open. */
export function fillIn(
	fix: string,
	{ user, database }: { user: string; database: string },
): string {
	return fix.replaceAll('<role>', quote(user)).replaceAll('<database>', quote(database));
}

const quote = (name: string) =>
	/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

async function ask(
	connect: () => Sql,
	find: (sql: Sql) => Promise<Diagnosis>,
	otherwise: Diagnosis,
): Promise<Diagnosis> {
	const sql = connect();
	try {
		return await withDeadline(find(sql), DEADLINE_MS, 'the diagnosis');
	} catch (second) {
		// a server that cancels this query too (57014) has answered: only silence means unreachable
		if (second instanceof DeadlineError) return { trouble: 'unreachable', fix: null };
		return otherwise.trouble === 'slow'
			? { trouble: toDatabaseTrouble(second), fix: null }
			: otherwise;
	} finally {
		dropClient(sql);
	}
}

async function findLocks(sql: Sql): Promise<Diagnosis> {
	// copies of a database have the same oids: pg_locks must be asked for this one
	const locks = await sql`
		select from pg_locks where relation = to_regclass(${`${sql.schema}.events`}) and not granted
			and database = (select oid from pg_database where datname = current_database()) limit 1`;
	return { trouble: locks.length > 0 ? 'locked' : 'slow', fix: null };
}

/** More than these are said as one statement for all tables. */
const MOST_GRANTS = 3;

async function findMissingRights(sql: Sql): Promise<Diagnosis> {
	const [schema] = await sql`
		select has_schema_privilege(oid, 'usage') as used, pg_get_userbyid(nspowner) as owner
		from pg_namespace where nspname = ${sql.schema.name}`;
	if (!schema)
		return { trouble: 'forbidden', fix: 'GRANT CREATE ON DATABASE <database> TO <role>' };
	const objects = await sql`
		select relname as name, relkind = 'S' as is_sequence, array_to_string(array(
			select "right" from unnest(case when relkind = 'S' then '{USAGE}'
				else '{SELECT,INSERT,UPDATE,DELETE}' end::text[]) as "right"
			where not case when relkind = 'S' then has_sequence_privilege(oid, "right")
				else has_table_privilege(oid, "right") end), ', ') as rights
		from pg_class where relnamespace = (select oid from pg_namespace where nspname = ${sql.schema.name})
			and relkind in ('r', 'p', 'S') order by relkind desc, relname`;
	if (objects.length === 0) {
		return {
			trouble: 'forbidden',
			fix: `GRANT USAGE, CREATE ON SCHEMA ${sql.schema.name} TO <role>`,
		};
	}
	const lacking = objects.filter(({ rights }) => rights !== '');
	const grants = lacking.map(
		({ name, is_sequence, rights }) =>
			`GRANT ${rights} ON ${is_sequence ? 'SEQUENCE ' : ''}${sql.schema.name}.${name} TO <role>`,
	);
	const functions = await sql`
		select oid::regprocedure::text as name from pg_proc
		where pronamespace = (select oid from pg_namespace where nspname = ${sql.schema.name})
			and not has_function_privilege(oid, 'execute') order by proname`;
	const all = [
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${sql.schema.name} TO <role>`,
		`GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${sql.schema.name} TO <role>`,
	];
	const statements = [
		...(schema.used ? [] : [`GRANT USAGE ON SCHEMA ${sql.schema.name} TO <role>`]),
		...(grants.length > MOST_GRANTS ? all : grants),
		...functions.map(({ name }) => `GRANT EXECUTE ON FUNCTION ${name} TO <role>`),
	];
	// it may use everything: what is refused is a migration
	if (statements.length === 0)
		statements.push(
			`run the migrations once as ${quote(String(schema.owner))}, who owns the tables: "node build/migrate.js" or "npm run db:migrate"`,
		);
	return { trouble: 'forbidden', fix: statements.join('; ') };
}

/** What the error itself says: its code, and where one code has several reasons, the words of Postgres in English. */
function toFix(error: unknown, trouble: DatabaseTrouble): string | null {
	const cause = findCause(error);
	if (cause instanceof DatabaseProblem) return cause.fix;
	const words = cause instanceof Error ? cause.message : '';
	const byWords = BY_WORDS.find(([pattern]) => pattern.test(words))?.[1];
	return byWords ?? BY_CODE[toCode(cause)] ?? BY_TROUBLE[trouble] ?? null;
}

const BY_WORDS: [pattern: RegExp, fix: string][] = [
	[/no pg_hba\.conf entry.*(no encryption|SSL off)/, 'add ?sslmode=require to DATABASE_URL'],
	[
		/no pg_hba\.conf entry/,
		'allow <role> to log in to <database> from this server, in pg_hba.conf',
	],
	[/not permitted to log in/, 'ALTER ROLE <role> LOGIN'],
	[/too many connections for role/, 'ALTER ROLE <role> CONNECTION LIMIT -1'],
	[/too many connections for database/, 'ALTER DATABASE <database> CONNECTION LIMIT -1'],
	[/permission denied for database/, 'GRANT CONNECT ON DATABASE <database> TO <role>'],
	[
		/before secure TLS connection/,
		'this Postgres has no TLS: use ?sslmode=disable in DATABASE_URL, or switch on ssl in postgresql.conf',
	],
	[
		/self-signed|unable to/i,
		'give the certificate authority in DATABASE_URL: ?sslmode=verify-full&sslrootcert=/path/to/ca.pem',
	],
];
const BY_CODE: Readonly<Record<string, string>> = {
	'28P01': "correct the password in DATABASE_URL, or set it: ALTER ROLE <role> PASSWORD '…'",
	'3D000': "CREATE DATABASE <database> ENCODING 'UTF8' TEMPLATE template0",
	'55000': 'ALTER DATABASE <database> ALLOW_CONNECTIONS true',
	ERR_TLS_CERT_ALTNAME_INVALID:
		'use the host that the certificate names, or ?sslmode=verify-ca, in DATABASE_URL',
};
const BY_TROUBLE: Partial<Record<DatabaseTrouble, string>> = {
	readonly:
		'ALTER ROLE <role> RESET default_transaction_read_only; ALTER DATABASE <database> RESET default_transaction_read_only',
};
