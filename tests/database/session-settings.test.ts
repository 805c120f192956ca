/**
 * Ingest, the stream, history, keys and the doctor work the same under every setting that a role or a database can have. Each
 * case has a role and a database of its own, and sets them by ALTER ROLE and ALTER DATABASE, as a DBA would.
 */
import { randomUUID } from 'node:crypto';
import { inject, expect, onTestFinished, test } from 'vitest';
import pino from 'pino';
import { parseCommand, runCommand } from '../../scripts/commands/key-commands';
import { examineDatabase } from '../../scripts/doctor/database';
import { toArray } from '../../src/lib/server/db/array';
import { connect, type Limits, type Sql } from '../../src/lib/server/db/connect';
import { findLimits } from '../../src/lib/server/db/limits';
import { readHistory } from '../../src/lib/server/history/range-query';
import { countAll } from '../../src/lib/server/history/rollup';
import { createIngest } from '../../src/lib/server/ingest/group-commit';
import { createDatabase } from '../setup/database';
import { follow } from '../setup/follow';
import { startTestInstance } from '../setup/instances';
import { databaseUrl } from '../setup/template';

type Setting = [name: string, value: string];

const SETTINGS: Setting[] = [
	['DateStyle', 'German, DMY'],
	['DateStyle', 'SQL, DMY'],
	['DateStyle', 'Postgres, MDY'],
	['IntervalStyle', 'sql_standard'],
	['IntervalStyle', 'iso_8601'],
	['TimeZone', 'America/New_York'],
	['TimeZone', 'Asia/Kathmandu'],
	['search_path', '"an odd, schema"'],
	['search_path', ''],
	['default_transaction_isolation', 'serializable'],
	['default_transaction_isolation', 'repeatable read'],
	['default_transaction_deferrable', 'on'],
	['standard_conforming_strings', 'off'],
	['escape_string_warning', 'off'],
	['backslash_quote', 'off'],
	['bytea_output', 'escape'],
	['xmloption', 'document'],
	['extra_float_digits', '-15'],
	['quote_all_identifiers', 'on'],
	['transform_null_equals', 'on'],
	['array_nulls', 'off'],
	['row_security', 'off'],
	['client_min_messages', 'debug5'],
	['plan_cache_mode', 'force_generic_plan'],
	['synchronous_commit', 'off'],
	['enable_indexscan', 'off'],
	['constraint_exclusion', 'on'],
	['client_encoding', 'LATIN1'],
];

const LIMITS = [
	'statement_timeout',
	'lock_timeout',
	'idle_session_timeout',
	'idle_in_transaction_session_timeout',
	'transaction_timeout',
];

/** A migrated database, and the URL of a role that may use all of it and has the setting. */
async function usePlace(...settings: Setting[]): Promise<string> {
	const { url, sql, drop } = await createDatabase();
	const database = new URL(url).pathname.slice(1);
	const role = `role_${database}`;
	await sql.unsafe(`create role ${role} login password 'app'`);
	onTestFinished(async () => {
		const admin = connect(inject('adminUrl'), { max: 1 });
		await drop();
		await admin.unsafe(`drop role ${role}`);
		await admin.end({ timeout: 1 });
	});
	await sql.unsafe(`
		create schema "an odd, schema";
		create table "an odd, schema".events (unlike text);
		grant usage on schema nowboard, "an odd, schema" to ${role};
		grant all on all tables in schema nowboard, "an odd, schema" to ${role};
		grant all on all sequences in schema nowboard to ${role};
		grant execute on all functions in schema nowboard to ${role}`);
	for (const [name, value] of settings) {
		const literal = name === 'search_path' ? value || "''" : `'${value}'`;
		await sql.unsafe(`alter role ${role} set ${name} = ${literal}`);
		await sql.unsafe(`alter database ${database} set ${name} = ${literal}`);
	}
	const own = new URL(url);
	[own.username, own.password] = [role, 'app'];
	return own.href;
}

/** What everything says, without times and ids. */
async function use(url: string) {
	const limits = await findLimits(url);
	const open = () => connect(url, { max: 1, limits });
	const sql = open();
	const log = pino({ level: 'silent' });
	const instance = await startTestInstance(url, { limits });
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	const ingest = createIngest({ connect: open, log });
	onTestFinished(async () => {
		await ingest.close();
		await sql.end({ timeout: 1 });
	});
	const createdAt = '2026-03-04T05:06:07.089Z';
	const events = ["it's", 'a \\ b', 'ü – 漢'].map((name) => ({
		...{ name, source: 'shop', sessionId: 's', createdAt, eventId: randomUUID() },
		properties: { path: 'C:\\new', amount: 0.1 + 0.2, none: null },
	}));
	const receipts = [await ingest.submit(events as never), await ingest.submit(events as never)];
	await sql`insert into nowboard.events (name) values ('by SQL')`;
	await client.until(() => client.ids.length === 4);
	const shown = client.of('activity').flatMap((frame) => frame.events as Record<string, unknown>[]);
	await countAll(sql);
	const at = Date.parse('2026-03-04T06:00:00Z');
	const history = await readHistory(sql, { range: '24h', source: null, zone: 'Asia/Tokyo', at });
	const command = async (...args: string[]) => {
		const parsed = parseCommand(args);
		if (!parsed.ok) throw new Error(parsed.errors.join());
		return runCommand(sql, parsed.command);
	};
	const made = await command('create', '--source', 'shop', '--kind', 'secret');
	const { findings } = await examineDatabase({
		...{ url, directUrl: url, schema: 'nowboard', migrations: 'drizzle' },
	});
	return {
		receipts,
		shown: shown
			.map(({ name, source, sessionId, properties, createdAt: at }) => ({
				...{ name, source, sessionId, properties },
				at: name === 'by SQL' ? typeof at : at,
			}))
			.sort((a, b) => String(a.name).localeCompare(String(b.name))),
		history: { ...history, through: typeof history.through },
		made: /nb_sec_/.test(made),
		listed: (await command('list')).replace(/\d{4}-\d\d-\d\d \d\d:\d\d|nb_sec_\S+/g, '…'),
		doctor: findings.map(({ check, is }) => `${check}: ${is}`),
		missing: instance.missing(),
	};
}

/** What the other cases are compared with. */
let plain: Awaited<ReturnType<typeof use>>;
test('with the settings of the server, everything works', async () => {
	plain = await use(await usePlace(['application_name', 'plain']));
	expect(plain).toMatchObject({ missing: [], made: true });
	expect(plain.receipts).toEqual([
		{ accepted: 3, duplicates: 0 },
		{ accepted: 0, duplicates: 3 },
	]);
	expect(plain.shown.map(({ name }) => name)).toEqual(['a \\ b', 'by SQL', "it's", 'ü – 漢']);
	expect(plain.shown.map(({ at }) => at)).toContain('2026-03-04T05:06:07.089Z');
	expect(plain.listed).toContain('shop');
	// the server of the tests is not durable
	expect(plain.doctor.filter((line) => !line.endsWith('well'))).toEqual(['durability: wrong']);
});

test.each(SETTINGS)('%s = %s changes nothing', async (...setting) => {
	expect(await use(await usePlace(setting))).toEqual(plain);
});

test('an event id that another transaction has just committed is a duplicate, also under serializable', async () => {
	const url = await usePlace(['default_transaction_isolation', 'serializable']);
	const other = connect(url, { max: 1 });
	const ingest = createIngest({
		connect: () => connect(url, { max: 1 }),
		log: pino({ level: 'silent' }),
	});
	onTestFinished(async () => {
		await ingest.close();
		await other.end({ timeout: 1 });
	});
	const eventId = randomUUID();
	const event = {
		name: 'x',
		source: 'web',
		sessionId: null,
		userId: null,
		createdAt: null,
		properties: {},
		context: null,
	};
	await ingest.submit([{ ...event, eventId: randomUUID() }]);
	const sent = await other.begin(async (tx) => {
		await tx`insert into nowboard.events (name, event_id) values ('x', ${eventId})`;
		const receipt = ingest.submit([{ ...event, eventId }]);
		const waits = () => tx`select from pg_locks where locktype = 'transactionid' and not granted
			and pid in (select pid from pg_stat_activity where datname = current_database())`;
		await expect.poll(async () => (await waits()).length, { interval: 5 }).toBe(1);
		return { receipt };
	});
	expect(await sent.receipt).toEqual({ accepted: 0, duplicates: 1 });
});

/** Those of them that this server knows. */
async function findKnown(admin: Sql) {
	const rows =
		await admin`select name from pg_settings where name = any(${toArray(LIMITS)}::text[])`;
	return rows.map((row) => row.name as string);
}

function useAdmin(url = inject('adminUrl'), limits?: Limits) {
	const admin = connect(url, { max: 2, limits });
	onTestFinished(() => admin.end({ timeout: 1 }));
	return admin;
}

test.each(['1ms', '200ms'])('every time limit at %s changes nothing', async (value) => {
	const known = await findKnown(useAdmin());
	expect(await use(await usePlace(...known.map((name): Setting => [name, value])))).toEqual(plain);
});

test('a connection outlives every limit of the role that ends one without limits of its own', async () => {
	const server = useAdmin();
	for (const name of await findKnown(server)) {
		const url = await usePlace([name, '200ms']);
		const limits = await findLimits(url);
		const database = new URL(url).pathname.slice(1);
		const admin = useAdmin(databaseUrl(inject('adminUrl'), database), limits);
		const open = (applicationName: string, limits?: Limits) => {
			const sql = connect(url, { max: 1, applicationName, limits });
			onTestFinished(() => sql.end({ timeout: 0 }));
			return sql;
		};
		const [ours, naive] = [open('ours', limits), open('naive')];
		const count = async (sql: string) =>
			(await server.unsafe(`select from pg_stat_activity where datname = '${database}' and ${sql}`))
				.length;
		const act = (sql: Sql): Promise<unknown> => {
			if (name === 'lock_timeout') return sql`select from nowboard.events`;
			if (name === 'statement_timeout') return sql`select pg_sleep(600)`;
			if (name === 'idle_session_timeout') return sql`select`;
			return sql.begin(async (tx) => (await tx`select`, new Promise(() => {})));
		};
		await admin.begin(async (tx) => {
			await tx`lock table nowboard.events in access exclusive mode`;
			await ours`select`;
			void act(ours).catch(() => {});
			await naive`select`;
			let failed = false;
			void act(naive).catch(() => (failed = true));
			const isOver = async () => failed || (await count(`application_name = 'naive'`)) === 0;
			await expect.poll(isOver, { interval: 20 }).toBe(true);
			const state = {
				...{ idle_session_timeout: 'idle', statement_timeout: 'active', lock_timeout: 'active' },
			};
			const expected = state[name as keyof typeof state] ?? 'idle in transaction';
			expect([name, await count(`application_name = 'ours' and state = '${expected}'`)]).toEqual([
				...[name, 1],
			]);
		});
	}
});
