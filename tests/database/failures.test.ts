/**
 * Every failure of the start, on a real server: it has a name of its own and the statement that fixes it, in the log, for the
 * page and /readyz (`status`), and in a terminal. Only silence is called silence.
 */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { tellFailure } from '../../scripts/commands/tell-failure';
import { freePort } from '../../scripts/process/ports';
import type { DatabaseTrouble } from '../../src/lib/protocol';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { prepareDatabase } from '../../src/lib/server/migrations/prepare';
import { collectLog, startTestInstance } from '../setup/instances';
import { startServer, type PrivateServer } from '../setup/private-server';
import { databaseUrl } from '../setup/template';

/** of its own, so that roles and databases end with it */
let server: PrivateServer;
let admin: Sql;
let count = 0;

beforeAll(async () => {
	server = await startServer();
	admin = connect(server.url, { max: 1 });
});
afterAll(async () => {
	await admin.end({ timeout: 1 });
	await server.drop();
});

type Place = { url: URL; role: string; name: string };

/** A role and an empty database that is not its own. @param options of CREATE DATABASE */
async function makePlace(options = ''): Promise<Place> {
	const name = `place_${++count}`;
	const role = `app_${count}`;
	await admin.unsafe(`create role ${role} login password 'app'`);
	await admin.unsafe(`create database ${name} ${options}`);
	const url = new URL(databaseUrl(server.url, name));
	[url.username, url.password] = [role, 'app'];
	return { url, role, name };
}

/** A migrated database, of whose tables the role may use everything. */
async function makeMigrated(): Promise<Place & { owner: Sql; schema: string }> {
	const place = await makePlace();
	const ownerUrl = databaseUrl(server.url, place.name);
	await prepareDatabase(ownerUrl);
	const owner = connect(ownerUrl, { max: 1 });
	onTestFinished(() => owner.end({ timeout: 1 }));
	const [home] =
		await owner`select relnamespace::regnamespace::text as schema from pg_class where relname = 'events'`;
	const schema = home?.schema as string;
	await owner.unsafe(`
		grant usage on schema ${schema} to ${place.role};
		grant all on all tables in schema ${schema} to ${place.role};
		grant all on all sequences in schema ${schema} to ${place.role};
		grant execute on all functions in schema ${schema} to ${place.role};`);
	return { ...place, owner, schema };
}

const CASES: Record<
	string,
	() => Promise<{ url: string; trouble: DatabaseTrouble; fix: string | RegExp | null }>
> = {
	'a wrong password': async () => {
		const { url, role } = await makePlace();
		url.password = 'other';
		return { url: url.href, trouble: 'denied', fix: new RegExp(`ALTER ROLE ${role} PASSWORD`) };
	},
	'a role that does not exist': async () => {
		const { url } = await makePlace();
		url.username = 'unknown';
		return { url: url.href, trouble: 'denied', fix: /ALTER ROLE unknown PASSWORD/ };
	},
	'a role that may not log in': async () => {
		const { url, role } = await makePlace();
		await admin.unsafe(`alter role ${role} nologin`);
		return { url: url.href, trouble: 'denied', fix: `ALTER ROLE ${role} LOGIN` };
	},
	'a role that may not connect to the database': async () => {
		const { url, role, name } = await makePlace();
		await admin.unsafe(`revoke connect on database ${name} from public`);
		return {
			url: url.href,
			trouble: 'forbidden',
			fix: `GRANT CONNECT ON DATABASE ${name} TO ${role}`,
		};
	},
	'a role whose connections are used up': async () => {
		const { url, role } = await makePlace();
		await admin.unsafe(`alter role ${role} connection limit 0`);
		return { url: url.href, trouble: 'crowded', fix: `ALTER ROLE ${role} CONNECTION LIMIT -1` };
	},
	'a database that does not exist': async () => {
		const { url } = await makePlace();
		url.pathname = '/No%20such';
		return { url: url.href, trouble: 'missing', fix: /^CREATE DATABASE "No such" ENCODING 'UTF8'/ };
	},
	'a database that takes no connections': async () => {
		const { url, name } = await makePlace();
		await admin.unsafe(`alter database ${name} allow_connections false`);
		return {
			url: url.href,
			trouble: 'denied',
			fix: `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`,
		};
	},
	'a database in LATIN1': async () => {
		// the default provider of the embedded one is UTF-8 only; 14 has no providers
		const [has] = await admin`
			select from pg_attribute where attrelid = 'pg_database'::regclass and attname = 'datlocprovider'`;
		const { url } = await makePlace(
			`template template0 encoding 'LATIN1' locale 'C' ${has ? 'locale_provider libc' : ''}`,
		);
		return { url: url.href, trouble: 'encoding', fix: /^CREATE DATABASE nowboard ENCODING 'UTF8'/ };
	},
	'a database in which the role may create nothing': async () => {
		const { url, role, name } = await makePlace();
		return {
			url: url.href,
			trouble: 'forbidden',
			fix: `GRANT CREATE ON DATABASE ${name} TO ${role}`,
		};
	},
	'one right on one table': async () => {
		const { url, role, owner, schema } = await makeMigrated();
		await owner.unsafe(`revoke select on ${schema}.events from ${role}`);
		return {
			url: url.href,
			trouble: 'forbidden',
			fix: `GRANT SELECT ON ${schema}.events TO ${role}`,
		};
	},
	'rights on many tables': async () => {
		const { url, role, owner, schema } = await makeMigrated();
		await owner.unsafe(`revoke all on all tables in schema ${schema} from ${role}`);
		return {
			url: url.href,
			trouble: 'forbidden',
			fix: new RegExp(
				`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
			),
		};
	},
	'a table of another program in our schema': async () => {
		const { url, role, name } = await makePlace();
		const owner = connect(databaseUrl(server.url, name), { max: 1 });
		onTestFinished(() => owner.end({ timeout: 1 }));
		await owner.unsafe(`
			create schema nowboard authorization ${role};
			create table nowboard.sessions (sid text primary key)`);
		return {
			url: url.href,
			trouble: 'foreign',
			fix: /^ALTER TABLE nowboard\.sessions RENAME TO sessions_other, or set DATABASE_SCHEMA/,
		};
	},
	'row-level security': async () => {
		const { url, owner, schema } = await makeMigrated();
		await owner.unsafe(`alter table ${schema}.events enable row level security`);
		return {
			url: url.href,
			trouble: 'hidden',
			fix: `ALTER TABLE ${schema}.events DISABLE ROW LEVEL SECURITY`,
		};
	},
	'a role that only reads': async () => {
		const { url, role, name } = await makePlace();
		await admin.unsafe(`grant all on database ${name} to ${role}`);
		await admin.unsafe(`alter role ${role} set default_transaction_read_only = on`);
		return {
			url: url.href,
			trouble: 'readonly',
			fix: /^ALTER ROLE app_\d+ RESET default_transaction_read_only/,
		};
	},
	'TLS where the server has none': async () => {
		const { url } = await makePlace();
		return { url: `${url.href}?sslmode=require`, trouble: 'tls', fix: /sslmode=disable/ };
	},
	'a port on which nothing listens': async () => {
		const { url } = await makePlace();
		url.port = String(await freePort());
		return { url: url.href, trouble: 'unreachable', fix: null };
	},
	'a socket that is not there': async () => {
		const { url } = await makePlace();
		return { url: `${url.href}?host=/nowhere`, trouble: 'unreachable', fix: null };
	},
};

test.each(Object.keys(CASES))(
	'%s',
	async (which) => {
		const { url, trouble, fix } = await CASES[which]!();
		const { log, lines } = collectLog();
		const prepare = async () => void (await prepareDatabase(url));
		const instance = await startTestInstance(url, { ready: false, prepare, log });
		const told = () => lines.map((line) => JSON.parse(line)).find((line) => line.trouble);
		await expect.poll(told, { timeout: 20_000 }).toBeDefined();

		const line = told();
		expect(line).toMatchObject({ level: 50, trouble, error: { message: expect.any(String) } });
		if (fix === null) expect(line).not.toHaveProperty('fix');
		else expect(line.fix).toEqual(fix instanceof RegExp ? expect.stringMatching(fix) : fix);

		const status = instance.status();
		expect(status).toMatchObject({ database: 'down', reading: trouble });
		// a page that anyone may open names neither role nor password
		expect(typeof status.fix).toBe(fix === null ? 'undefined' : 'string');
		expect(JSON.stringify(status)).not.toMatch(/app_\d/);

		const { error, value } = await prepare().then(
			() => ({ error: null, value: null }),
			async (error: unknown) => ({ error, value: await tellFailure(error, url) }),
		);
		if (error !== null && fix !== null) expect(value).toContain(line.fix);

		const all = [...lines, value].join(' ');
		expect(all.includes('is not answering')).toBe(trouble === 'unreachable');
		expect(all).not.toContain('DATABASE_DIRECT_URL');
		expect(all).not.toContain(':app@');
	},
	60_000,
);
