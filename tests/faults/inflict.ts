/** What each kind of fault does to the running parts; resolves when it is over and everything may recover. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { withDeadline } from '../../src/lib/server/db/deadline';
import type { RunningApp } from '../setup/app-server';
import type { TestRedis } from '../setup/redis';
import type { PrivateServer } from '../setup/private-server';
import type { Fault, FaultKind } from './plan';
import type { FaultyProxy } from './proxy';

export type Parts = {
	database: PrivateServer;
	apps: readonly RunningApp[];
	/** before each instance, as clients see it; and between each instance and the database */
	clientProxies: readonly FaultyProxy[];
	databaseProxies: readonly FaultyProxy[];
	relay: RelayParts | null;
};

const DELAY_MS = 150;
const LOCK_MS = 1_500;
/** More than a frame may carry in one transaction, and more frames than a drain makes: rows must be counted. */
const FLOOD_ROWS = 2_500;
const FLOOD_TRANSACTIONS = 6;
const ADMIN_MS = 10_000;

export type RelayParts = {
	redis: TestRedis;
	/** between each instance and Redis */
	proxies: readonly FaultyProxy[];
	/** Another process that reads for all, whatever others do; resolves when it has done so for `ms`. */
	readToo: (ms: number) => Promise<void>;
	/** Writes everything that Redis has once more, in another order. */
	repeat: () => Promise<void>;
};

/** Longer than Postgres leaves the lock to a session that is silent (relay/lock.ts). */
const PAST_THE_LOCK_MS = 10_000;
/** Longer than messages may be late. */
const SLOW_MS = 2_500;

type Victim = {
	app: RunningApp;
	clients: FaultyProxy;
	database: FaultyProxy;
	relay: FaultyProxy | undefined;
};
const INFLICT: Record<FaultKind, (parts: Parts, victim: Victim, fault: Fault) => Promise<unknown>> =
	{
		'listener killed': ({ database }) => terminate(database.url, "and query ilike 'listen%'"),
		'one backend killed': ({ database }) => terminate(database.url, 'order by random() limit 1'),
		'all backends killed': ({ database }) => terminate(database.url, ''),
		'Postgres restarted, fast': ({ database }) => restart(database, 'fast'),
		'Postgres restarted, immediate': ({ database }) => restart(database, 'immediate'),
		'app killed': (_, { app }) => app.kill('SIGKILL').then(app.start),
		'app stopped': (_, { app }) => app.kill('SIGTERM').then(app.start),
		'clients cut': async (_, { clients }) => clients.cut(),
		'clients half-open': (_, { clients }, { ms }) => clients.freeze(ms),
		'clients delayed': (_, { clients }, { ms }) => clients.delay(ms, DELAY_MS),
		'database connections cut': async (_, { database }) => database.cut(),
		'database connections half-open': (_, { database }, { ms }) => database.freeze(ms),
		'database connections delayed': (_, { database }, { ms }) => database.delay(ms, DELAY_MS),
		'table locked': ({ database }) =>
			withAdmin(database.url, (sql) =>
				sql.begin(async (tx) => {
					await tx`lock table nowboard.events in access exclusive mode`;
					await pause(LOCK_MS);
				}),
			),
		flood: ({ database }) =>
			withAdmin(database.url, async (sql) => {
				for (let i = 0; i < FLOOD_TRANSACTIONS; i++)
					await sql`insert into nowboard.events (name, source) select 'f', 'web' from generate_series(1, ${FLOOD_ROWS}::int)`;
			}),
		'Redis killed, started empty': async ({ relay }, _, { ms }) => {
			await relay?.redis.kill();
			await pause(ms);
			await relay?.redis.start();
		},
		'Redis emptied': async ({ relay }) => relay?.redis.command('FLUSHALL'),
		'Redis paused': async ({ relay }, _, { ms }) => {
			relay?.redis.pause();
			await pause(ms + SLOW_MS);
			relay?.redis.resume();
		},
		'Redis slow': async ({ relay }, _, { ms }) =>
			Promise.all(relay?.proxies.map((proxy) => proxy.delay(ms + SLOW_MS, SLOW_MS)) ?? []),
		'Redis cut from all': async ({ relay }) => relay?.proxies.forEach((proxy) => proxy.cut()),
		'Redis cut from one': async (_, { relay }) => relay?.cut(),
		'Redis half-open to one': async (_, { relay }, { ms }) => relay?.freeze(ms + SLOW_MS),
		'Redis says old things again': async ({ relay }) => relay?.repeat(),
		'two readers at once': async ({ relay }, _, { ms }) => relay?.readToo(ms),
		'reader killed': async ({ apps }) => {
			const reader = await findReader(apps);
			await reader?.kill('SIGKILL');
			await reader?.start();
		},
		'reader paused past its lock': async ({ apps }) =>
			(await findReader(apps))?.pause(PAST_THE_LOCK_MS),
	};

/** The instance that reads for all; waits until there is one. */
export async function findReader(apps: readonly RunningApp[]): Promise<RunningApp | undefined> {
	for (let left = 200; left > 0; left--) {
		for (const app of apps) {
			const health = await fetch(`${app.url}/api/dashboard/health`).then(
				(response) => response.json() as Promise<{ more: { name: string; figure: string }[] }>,
				() => ({ more: [] }),
			);
			if (health.more.some(({ name, figure }) => name === 'Relay' && figure === 'reader'))
				return app;
		}
		await pause(100);
	}
	return undefined;
}

export async function inflict(parts: Parts, fault: Fault): Promise<void> {
	const at = fault.instance;
	await INFLICT[fault.kind](
		parts,
		{
			app: parts.apps[at] as RunningApp,
			clients: parts.clientProxies[at] as FaultyProxy,
			database: parts.databaseProxies[at] as FaultyProxy,
			relay: parts.relay?.proxies[at],
		},
		fault,
	);
}

async function restart(database: PrivateServer, mode: 'fast' | 'immediate') {
	await database.stop(mode);
	await database.start();
}

/** Ends connections of the instances. */
function terminate(url: string, which: string) {
	return withAdmin(
		url,
		(sql) => sql`
			select pg_terminate_backend(pid) from pg_stat_activity
			where application_name = 'nowboard' and pid <> pg_backend_pid() ${sql.unsafe(which)}`,
	);
}

/** The database may just be away: then again. */
export async function withAdmin<T>(
	url: string,
	work: (sql: Sql) => PromiseLike<T>,
	deadlineMs = ADMIN_MS,
): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		const sql = connect(url, { max: 1, applicationName: 'faults admin' });
		try {
			return await withDeadline(work(sql), deadlineMs, 'a statement of the suite');
		} catch (error) {
			if (attempt === 5) throw error;
			await pause(300);
		} finally {
			await sql.end({ timeout: 0 }).catch(() => {});
		}
	}
}
