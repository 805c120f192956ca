/**
 * The schema that all tables, functions and the journal of migrations live in: the only file that names it. A client knows it as
 * `sql.schema`, transactions too, and every statement names its tables with it: `from ${sql.schema}.events`.
 * Don't rely on `search_path`: a pooler or the role decides what it is.
 */
import type postgres from 'postgres';

export const DEFAULT_SCHEMA = 'nowboard';

/** Quoted, for SQL: as a fragment in `sql` templates, and as text in plain ones. */
export type SchemaName = postgres.Fragment & {
	/** as it is, and the channel of NOTIFY */
	readonly name: string;
	toString(): string;
};
type Awaited<T> = T extends readonly unknown[]
	? { [k in keyof T]: T[k] extends Promise<infer R> ? R : T[k] }
	: T;

export interface TransactionSql extends postgres.TransactionSql {
	readonly schema: SchemaName;
}

export interface ReservedSql extends Sql {
	release(): void;
}

export interface Sql extends postgres.Sql {
	readonly schema: SchemaName;
	begin<T>(work: (sql: TransactionSql) => T | Promise<T>): Promise<Awaited<T>>;
	begin<T>(options: string, work: (sql: TransactionSql) => T | Promise<T>): Promise<Awaited<T>>;
	reserve(): Promise<ReservedSql>;
}

/** @param name letters, digits and underscores (variables.ts) */
export function withSchema(client: postgres.Sql, name: string): Sql {
	const schema = Object.assign(client(name) as unknown as postgres.Fragment, {
		name,
		toString: () => `"${name}"`,
	});
	const know = <Client extends object>(one: Client) => Object.assign(one, { schema });
	const begin = client.begin.bind(client) as (...given: unknown[]) => Promise<unknown>;
	const reserve = client.reserve.bind(client);
	return Object.assign(know(client), {
		begin(...given: unknown[]) {
			const work = given.pop() as (sql: TransactionSql) => unknown;
			return begin(...given, (tx: postgres.TransactionSql) => work(know(tx)));
		},
		reserve: async () => know(await reserve()),
	}) as unknown as Sql;
}
