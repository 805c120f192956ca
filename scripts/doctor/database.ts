/**
 * What can be seen of the database with the addresses that the server has. It writes nothing that stays: one row, in a
 * transaction that is rolled back.
 */
import { connect, MOST_CONNECTIONS, type Limits, type Sql } from '../../src/lib/server/db/connect';
import { withDeadline } from '../../src/lib/server/db/deadline';
import { TROUBLES } from '../../src/lib/database-troubles';
import { explain, fillIn } from '../../src/lib/server/db/diagnose';
import { toReason } from '../../src/lib/server/db/errors';
import { findLimits } from '../../src/lib/server/db/limits';
import { checkServer, checkVisibility } from '../../src/lib/server/migrations/prepare';
import { readClock, type Clock } from './clocks';
import { well, wrong, type Finding } from './finding';
import { examineListen } from './listening';
import { examineMigrations, examineTriggers } from './schema';

export type DatabaseGiven = {
	url: string;
	/** the same as `url` where there is none of its own */
	directUrl: string;
	schema: string;
	/** the folder of migrations of the version that is to run */
	migrations: string;
};
export type DatabaseSeen = { findings: Finding[]; clock: Clock | null };

const DEADLINE_MS = 8_000;
const LOCK_MS = 2_000;

export async function examineDatabase(given: DatabaseGiven): Promise<DatabaseSeen> {
	const one = given.url === given.directUrl;
	const toPooled = createOpener(given.url, given.schema);
	const toDirect = one ? toPooled : createOpener(given.directUrl, given.schema);
	const again = toDirect.open;
	const pooled = toPooled.open();
	const direct = one ? pooled : again();
	try {
		const findings = [await reach('DATABASE_URL', pooled, toPooled)];
		if (!one) findings.push(await reach('DATABASE_DIRECT_URL', direct, toDirect));
		if (findings.some(({ is }) => is === 'wrong')) return { findings, clock: null };
		if (!one) findings.push(await attempt('same database', () => compare(pooled, direct), again));
		for (const [check, examine] of [
			['Postgres', () => examineServer(direct)],
			['migrations', () => examineMigrations(direct, given.migrations)],
			['triggers', () => examineTriggers(direct)],
			['writing', () => examineWriting(pooled)],
			['LISTEN', () => examineListen(again, one)],
			['durability', () => examineDurability(pooled)],
			['connections', () => examineRoom(direct)],
		] as const)
			findings.push(await attempt(check, examine, again));
		return { findings, clock: await readDatabaseClock(direct) };
	} finally {
		for (const sql of new Set([pooled, direct])) await sql.end({ timeout: 0 }).catch(() => {});
	}
}

type Opener = { open: () => Sql; learn: () => Promise<unknown> };

/** As the server connects: without the role's limits, once it is known how. */
function createOpener(url: string, schema: string): Opener {
	const limits: Limits = {};
	const options = { max: 1, schema, prepare: false, applicationName: 'nowboard doctor', limits };
	return {
		open: () => connect(url, options),
		learn: async () => Object.assign(limits, await findLimits(url)),
	};
}

function reach(check: string, sql: Sql, { learn, open }: Opener): Promise<Finding> {
	return attempt(
		check,
		async () => {
			await withDeadline(learn(), DEADLINE_MS, 'the answer');
			return answers(check, sql);
		},
		open,
	);
}

/** A check that the database ends with an error has found that error. */
async function attempt(
	check: string,
	examine: () => Promise<Finding>,
	open: () => Sql,
): Promise<Finding> {
	try {
		return await withDeadline(examine(), 2 * DEADLINE_MS, check);
	} catch (error) {
		const { trouble, fix } = await explain(error, open);
		const { user, database } = open().options;
		const { says, fix: usual } = TROUBLES[trouble];
		const advice = fix ? fillIn(fix, { user: String(user), database }) : usual;
		return wrong(check, `${says} ${toReason(error)}`, advice || 'Wait, and run the doctor again.');
	}
}

async function answers(check: string, sql: Sql): Promise<Finding> {
	const asking = sql`
		select current_database() as name, current_setting('server_version') as version`;
	const [row] = await withDeadline(asking, DEADLINE_MS, 'the answer');
	return well(check, `"${row?.name}" on Postgres ${row?.version} answers`);
}

/** Two addresses of different databases look well, each by itself. */
async function compare(pooled: Sql, direct: Sql): Promise<Finding> {
	const [one, two] = await Promise.all(
		[pooled, direct].map(async (sql) => {
			const [row] = await sql`
				select (select oid from pg_database where datname = current_database())::text
					|| ' ' || extract(epoch from pg_postmaster_start_time())::text as who`;
			return row?.who as string;
		}),
	);
	if (one === two) return well('same database', 'both addresses lead to it');
	return wrong(
		'same database',
		'DATABASE_URL and DATABASE_DIRECT_URL lead to different databases: what is saved in one is not read from the other',
		'Let both name the same database, one with the pooler and one without.',
	);
}

/** Its version, its encoding, that it is no standby, and that no row is hidden: an error says which is not so. */
async function examineServer(sql: Sql): Promise<Finding> {
	await checkServer(sql);
	await checkVisibility(sql);
	return well('Postgres', 'a primary, new enough, in UTF8');
}

/** As ingest does, in a transaction of its own that leaves nothing. */
async function examineWriting(sql: Sql): Promise<Finding> {
	const undone = new Error('as planned');
	await sql
		.begin(async (sql) => {
			await sql.unsafe(`set local lock_timeout = ${LOCK_MS}`);
			await sql`insert into ${sql.schema}.events (name, source) values ('doctor', 'doctor')`;
			throw undone;
		})
		.catch((error: unknown) => {
			if (error !== undone) throw error;
		});
	return well('writing', 'an event can be saved (it was rolled back)');
}

async function examineDurability(sql: Sql): Promise<Finding> {
	const [row] = await sql`
		select current_setting('synchronous_commit') as commit, current_setting('fsync') as fsync`;
	const off = [
		row?.commit === 'off' && 'synchronous_commit',
		row?.fsync === 'off' && 'fsync',
	].filter((name) => name !== false);
	if (off.length === 0) return well('durability', 'what is committed outlives a crash');
	return wrong(
		'durability',
		`${off.join(' and ')} ${off.length > 1 ? 'are' : 'is'} off: a crash may take back events that were acknowledged and shown`,
		`Switch it on for this database: ALTER SYSTEM SET ${off[0]} = on, then SELECT pg_reload_conf(); look for ALTER ROLE and ALTER DATABASE, too.`,
	);
}

async function examineRoom(sql: Sql): Promise<Finding> {
	const [row] = await sql`
		select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as most,
			(select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
			(select count(*)::int from pg_stat_activity where application_name = 'nowboard') as ours`;
	const left = row?.most - row?.used;
	const says = `${row?.used} of ${row?.most} are taken, ${row?.ours} by Nowboard`;
	if (left >= MOST_CONNECTIONS) return well('connections', says);
	return wrong(
		'connections',
		`${says}: one more process needs up to ${MOST_CONNECTIONS}`,
		'Raise max_connections, or see who holds so many: pg_stat_activity.',
	);
}

function readDatabaseClock(sql: Sql): Promise<Clock | null> {
	const ask = async () => {
		const [row] = await sql`select extract(epoch from clock_timestamp()) * 1000 as at`;
		return Number(row?.at);
	};
	return withDeadline(readClock(ask), DEADLINE_MS, 'the clock').catch(() => null);
}
