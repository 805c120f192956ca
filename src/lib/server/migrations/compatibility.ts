/**
 * What stays where the tables were: views of the same names that INSERT, UPDATE and DELETE go through, for instances of the version
 * before, and for other programs until they say `nowboard.events`. Never removed by us: docs/upgrading.md says how.
 */
import type { TransactionSql } from '../db/connect';

/** Ids that instances of the version before may give while ours go on after them. */
const OLDER_IDS = 1_000_000_000;
const NOTE = 'Moved by Nowboard; for programs that name the old place. May be dropped.';

/** @param home the schema that the tables were in */
export async function leaveViews(
	tx: TransactionSql,
	home: { schema: string; owner: string },
	tables: readonly string[],
): Promise<void> {
	const from = tx(home.schema);
	const own = async (kind: string, name: string) => {
		await tx.unsafe(`alter ${kind} "${home.schema}".${name} owner to "${home.owner}"`);
		await tx.unsafe(`comment on ${kind} "${home.schema}".${name} is '${NOTE}'`);
	};
	for (const table of tables) {
		await tx`create view ${from}.${tx(table)} as select * from ${tx.schema}.${tx(table)}`;
		await own('view', table);
		await copyGrants(tx, home.schema, table);
	}
	await leaveSequence(tx, home.schema);
	await own('sequence', 'events_id_seq');
	await copyGrants(tx, home.schema, 'events_id_seq');
	for (const [name, type] of [
		['nowboard_identity', 'text'],
		['nowboard_renew_epoch', 'void'],
	] as const) {
		const [found] = await tx`
			select from pg_catalog.pg_proc where proname = ${name}
				and pronamespace = (select oid from pg_catalog.pg_namespace where nspname = ${tx.schema.name})`;
		if (!found) continue;
		await tx.unsafe(`create function "${home.schema}".${name}() returns ${type} language sql as
			'select ${tx.schema}.${name}()'`);
		await own('function', `${name}()`);
	}
}

/** Instances of the version before take ids from a sequence by its name, and none may be given twice. */
async function leaveSequence(tx: TransactionSql, home: string): Promise<void> {
	const [row] = await tx<{ next: string }[]>`
		select nextval(${`${tx.schema}.events_id_seq`}::regclass)::text as next`;
	const next = BigInt(row?.next ?? 1);
	const ours = next + BigInt(OLDER_IDS);
	await tx.unsafe(
		`create sequence "${home}".events_id_seq start ${next} minvalue ${next} maxvalue ${ours - 1n} no cycle`,
	);
	await tx`select setval(${`${tx.schema}.events_id_seq`}::regclass, ${ours.toString()}::bigint, false)`;
}

/** Grants on the table are repeated for the view and for the table in its new place. */
async function copyGrants(tx: TransactionSql, home: string, name: string): Promise<void> {
	const grants = await tx<{ right: string; grantee: string | null; column: string | null }[]>`
		with ours as (
			select pg_class.oid, relacl, relowner, relkind from pg_catalog.pg_class
			where relname = ${name}
				and relnamespace = (select oid from pg_catalog.pg_namespace where nspname = ${tx.schema.name})
		), acls as (
			select relacl as acl, null::name as "column", relowner from ours
			union all select attacl, attname, relowner from ours
				join pg_catalog.pg_attribute on attrelid = ours.oid and attacl is not null
		)
		select privilege_type as right, "column",
			case when grantee <> 0 then quote_ident(pg_get_userbyid(grantee)) end as grantee
		from acls, aclexplode(acl)
		where grantee <> relowner and privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')`;
	for (const { right, grantee, column } of grants) {
		const to = grantee ?? 'public';
		const of = column === null ? '' : ` ("${column}")`;
		const kind = name === 'events_id_seq' ? 'sequence ' : '';
		await tx.unsafe(`grant ${right}${of} on ${kind}"${home}"."${name}" to ${to}`);
		await tx.unsafe(`grant usage on schema ${tx.schema} to ${to}`);
	}
}
