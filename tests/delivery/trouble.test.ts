/**
 * Faults of a real Postgres: every page is told which, and everything recovers without a restart.
 * An event answered with 202 is in the table; a refused one can be sent again with its event id and counts once.
 */
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DatabaseTrouble } from '../../src/lib/protocol';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { createIngest, type Ingest } from '../../src/lib/server/ingest/group-commit';
import { createWriteWatch } from '../../src/lib/server/ingest/write-probe';
import { follow } from '../setup/follow';
import { startTestInstance } from '../setup/instances';
import { startServer, type PrivateServer } from '../setup/private-server';
import { UnavailableError } from '../../src/lib/server/db/errors';

/** Each of these takes a second or two; the bound is for slow machines. */
const WAIT = { timeout: 60_000 };

let server: PrivateServer;
let admin: Sql;
/** the app's account: no superuser, so that limits are meant for it */
let appUrl: string;

beforeAll(async () => {
	server = await startServer({ max_connections: 30, superuser_reserved_connections: 3 });
	admin = connect(server.url, { max: 1, applicationName: 'administrator' });
	await admin`create role app login password 'app'`;
	await admin`grant usage on schema nowboard to app`;
	await admin`grant execute on all functions in schema nowboard to app`;
	await admin`grant all on all tables in schema nowboard to app`;
	await admin`grant all on all sequences in schema nowboard to app`;
	const url = new URL(server.url);
	[url.username, url.password] = ['app', 'app'];
	appUrl = url.href;
});
afterAll(async () => {
	await admin.end({ timeout: 1 });
	await server.drop();
});

type App = {
	client: ReturnType<typeof follow>;
	ingest: Ingest;
	/** what the newest ping says */
	ping: () => {
		reading: DatabaseTrouble | null;
		writing: DatabaseTrouble | null;
		database: string;
	};
	/** sends one event with this id; what a request would be told */
	send: (eventId: string) => Promise<'taken' | 'not now'>;
};

/** The parts that hooks.server.ts joins, on the app's account. */
async function startApp(): Promise<App> {
	const open = () => connect(appUrl, { max: 1 });
	const watch = createWriteWatch({ connect: open, probeMs: 200 });
	const log = pino({ level: 'silent' });
	const ingest = createIngest({ connect: open, log, onFailed: watch.suspect });
	const instance = await startTestInstance(appUrl, {
		writing: watch.trouble,
		onTickFailed: watch.suspect,
	});
	watch.onChange(() => instance.announce());
	onTestFinished(async () => {
		watch.stop();
		await ingest.close();
	});
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	return {
		client,
		ingest,
		ping: () => client.of('ping').at(-1) as ReturnType<App['ping']>,
		async send(eventId) {
			const event = { name: 'sent', source: 'test', sessionId: null, properties: {}, eventId };
			try {
				await ingest.submit([{ ...event, createdAt: null } as never]);
				return 'taken';
			} catch (error) {
				if (error instanceof UnavailableError) return 'not now';
				throw error;
			}
		},
	};
}

/** One kind of trouble from its cause to its end, with what must hold for each. `relief` runs also when a check fails. */
async function endure(
	{ client, ping, send }: App,
	expected: { reading?: DatabaseTrouble[]; writing: DatabaseTrouble[] },
	cause: () => Promise<unknown>,
	relief: () => Promise<unknown>,
): Promise<void> {
	const [before, during, after] = [randomUUID(), randomUUID(), randomUUID()];
	expect(await send(before)).toBe('taken');
	try {
		await cause();
		expect(await send(during)).toBe('not now');
		const { reading = [], writing } = expected;
		await expect.poll(() => ping().writing, WAIT).toBeOneOf(writing);
		if (reading.length > 0) {
			await expect.poll(() => ping().reading, WAIT).toBeOneOf(reading);
			expect(ping().database).toBe('down');
		} else expect(ping().database).toBe('up');
	} finally {
		await relief();
	}
	await expect.poll(ping, WAIT).toMatchObject({ database: 'up', reading: null, writing: null });
	// a refused event may have been saved: sending it again makes sure, and stores it once
	await expect.poll(() => send(during), WAIT).toBe('taken');
	expect(await send(after)).toBe('taken');
	const ids: string[] = [before, during, after];
	const shown = () =>
		client
			.of('activity')
			.flatMap(({ events }) => events)
			.map(({ eventId }) => eventId)
			.filter((id) => ids.includes(id));
	await expect.poll(() => shown().length, WAIT).toBeGreaterThanOrEqual(3);
	expect(shown().sort()).toEqual(ids.sort());
	const rows =
		await admin`select event_id from nowboard.events where event_id = any(${`{${ids}}`}::uuid[])`;
	expect(rows).toHaveLength(3);
	expect(client.resets()).toBe(1);
}

const cutOff = () =>
	admin`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`;

describe(
	'the page names the trouble, and everything recovers without a restart',
	{ timeout: 300_000 },
	() => {
		test.each(['fast', 'immediate'] as const)('Postgres is restarted, %s', async (mode) => {
			await endure(
				await startApp(),
				{ reading: ['unreachable', 'starting'], writing: ['unreachable', 'starting'] },
				() => server.stop(mode),
				() => server.start(),
			);
		});

		test('connections are refused', async () => {
			await endure(
				await startApp(),
				{ reading: ['denied'], writing: ['denied'] },
				async () => {
					await admin`alter role app nologin`;
					await cutOff();
				},
				() => admin`alter role app login`,
			);
		});

		test('all connections are taken', async () => {
			const app = await startApp();
			const taken: Sql[] = [];
			onTestFinished(async () => {
				await Promise.all(taken.map((one) => one.end({ timeout: 1 })));
			});
			await endure(
				app,
				{ reading: ['crowded'], writing: ['crowded'] },
				async () => {
					await admin`alter role app connection limit 0`;
					await cutOff();
				},
				() => admin`alter role app connection limit -1`,
			);
			// and on a server with no connection left: only its superuser gets in
			await endure(
				app,
				{ reading: ['crowded'], writing: ['crowded'] },
				async () => {
					await admin`create role other login password 'other'`;
					const url = new URL(appUrl);
					[url.username, url.password] = ['other', 'other'];
					const fill = async () => {
						for (;;) {
							const one = connect(url.href, { max: 1 });
							taken.push(one);
							if (await one`select 1`.catch(() => null)) continue;
							await one.end({ timeout: 0 });
							return void taken.pop();
						}
					};
					await fill();
					// the server may be quicker to take what is cut off
					const left = async () => {
						await cutOff();
						await fill();
						return admin`select from pg_stat_activity where usename = 'app'`;
					};
					while ((await left()).length > 0);
				},
				async () => {
					await Promise.all(taken.splice(0).map((one) => one.end({ timeout: 1 })));
					await admin`drop role if exists other`;
				},
			);
		});

		test('the table is locked', async () => {
			const app = await startApp();
			const locker = connect(server.url, { max: 1 });
			onTestFinished(() => locker.end({ timeout: 1 }));
			await endure(
				app,
				{ reading: ['locked'], writing: ['locked'] },
				async () => {
					await locker`begin`;
					await locker`lock table nowboard.events in access exclusive mode`;
				},
				() => locker`commit`,
			);
		});

		test('every statement takes too long, whatever statement_timeout the role has', async () => {
			await endure(
				await startApp(),
				{ reading: ['slow'], writing: ['slow'] },
				async () => {
					await admin`alter role app set statement_timeout = '1ms'`;
					await cutOff();
					await admin`create function slowly() returns trigger language plpgsql as
					$$ begin perform pg_sleep(10); return new; end $$`;
					await admin`create trigger slowly before insert on nowboard.events for each row execute function slowly()`;
					await admin`begin`;
					await admin`lock table nowboard.meta in access exclusive mode`;
				},
				async () => {
					await admin`commit`;
					await admin`drop trigger if exists slowly on nowboard.events`;
					await admin`drop function if exists slowly`;
					await admin`alter role app reset statement_timeout`;
					await cutOff();
				},
			);
		});

		test('read-only: reading goes on, events are refused', async () => {
			await endure(
				await startApp(),
				{ writing: ['readonly'] },
				async () => {
					await admin`alter role app set default_transaction_read_only = on`;
					await cutOff();
				},
				async () => {
					await admin`alter role app reset default_transaction_read_only`;
					await cutOff();
				},
			);
		});

		test('the disk is full, as Postgres says it', async () => {
			await endure(
				await startApp(),
				{ writing: ['full'] },
				async () => {
					await admin`create function full_disk() returns trigger language plpgsql as
					$$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`;
					await admin`create trigger full_disk before insert on nowboard.events for each row execute function full_disk()`;
				},
				async () => {
					await admin`drop trigger if exists full_disk on nowboard.events`;
					await admin`drop function if exists full_disk`;
				},
			);
		});
	},
);
