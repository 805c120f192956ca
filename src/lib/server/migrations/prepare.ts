/**
 * Makes a database ready: migrates it, after a check that the server can be used at all, and before a check that no row is
 * hidden. Both check what no later error would say plainly.
 */
import { connect, type Sql } from '../db/connect';
import { DatabaseProblem, StandbyError } from '../db/errors';
import { findLimits } from '../db/limits';
import { migrate, type MigrateOptions } from './migrate';

/** The first release that Nowboard is tested with; 13 has no support since November 2025. */
const OLDEST_VERSION = 14;

/** @throws a DatabaseProblem for a server that cannot be used */
export async function checkServer(sql: Sql): Promise<void> {
	const [row] = await sql`
		select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
			pg_is_in_recovery() as standby,
			(select pg_encoding_to_char(encoding) from pg_database where datname = current_database()) as encoding`;
	refuseServer(row as ServerFacts);
}

export type ServerFacts = { number: number; version: string; standby: boolean; encoding: string };

/** Pure. */
export function refuseServer({ number, version, standby, encoding }: ServerFacts): void {
	if (number < OLDEST_VERSION * 10_000)
		throw new DatabaseProblem(
			'outdated',
			`This is Postgres ${version}: Nowboard needs ${OLDEST_VERSION} or newer.`,
		);
	if (standby) throw new StandbyError();
	if (encoding !== 'UTF8')
		throw new DatabaseProblem(
			'encoding',
			`The encoding of the database is ${encoding}: Nowboard needs UTF8, or events in other alphabets could not be saved.`,
			"CREATE DATABASE nowboard ENCODING 'UTF8' TEMPLATE template0, and name it in DATABASE_URL",
		);
}

/** Hidden rows are no error to Postgres: the dashboard would be empty, or lack some, without a word. */
export async function checkVisibility(sql: Sql): Promise<void> {
	const tables = await sql`
		select relname as name from pg_class
		where relnamespace = (select oid from pg_namespace where nspname = ${sql.schema.name})
			and relkind in ('r', 'p') and row_security_active(oid) order by relname`;
	if (tables.length === 0) return;
	const names = tables.map(({ name }) => `${sql.schema.name}.${name}`);
	throw new DatabaseProblem(
		'hidden',
		`Row-level security hides rows of ${names.join(', ')} from the database role.`,
		names.map((name) => `ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY`).join('; '),
	);
}

/** Returns how many migrations were applied. @throws DatabaseProblem, and what `migrate` throws */
export async function prepareDatabase(url: string, options: MigrateOptions = {}): Promise<number> {
	const limits = options.limits ?? (await findLimits(url));
	const sql = connect(url, { max: 1, prepare: false, schema: options.schema, limits });
	try {
		await checkServer(sql);
		const applied = await migrate(url, { ...options, limits });
		await checkVisibility(sql);
		return applied;
	} finally {
		await sql.end({ timeout: 5 });
	}
}
