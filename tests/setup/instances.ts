/** Databases, and instances of the reading side in this process, that end with the test that asked for them. */
import pino, { type Logger } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { connect, type Limits } from '../../src/lib/server/db/connect';
import { createDatabase, type TestDatabase } from './database';
import { startServer, type PrivateServer } from './private-server';
import { startInstance, type Instance } from '../../src/lib/server/stream/hub';

/** A fresh database; dropped when the test has finished. */
export async function useDatabase(): Promise<TestDatabase> {
	const database = await createDatabase();
	onTestFinished(database.drop);
	return database;
}

/**
 * A server of the file's own, and fresh databases on it, for tests that count resets and delete rows: a cursor's holes are
 * transactions of all databases of a server, and a client that has one below a deleted transaction counts as having missed it.
 */
export function useOwnServer(): () => Promise<TestDatabase> {
	let server: PrivateServer | undefined;
	beforeAll(async () => {
		server = await startServer({ fsync: 'off' });
	});
	afterAll(() => server?.drop());
	return async () => {
		const { url = '' } = server ?? {};
		const database = await createDatabase(url, new URL(url).pathname.slice(1));
		onTestFinished(database.drop);
		return database;
	};
}

/** The ids of all events in the table, ascending. */
export async function readIds(sql: TestDatabase['sql']): Promise<number[]> {
	const rows = await sql<{ id: string }[]>`select id from nowboard.events order by id`;
	return rows.map(({ id }) => Number(id));
}

/** Starts one and waits until it is ready. */
export async function startTestInstance(
	url: string,
	{
		ready = true,
		schema,
		limits,
		prepare = async () => {},
		log = pino({ level: process.env.TEST_LOG ?? 'silent' }),
		...options
	}: {
		ready?: boolean;
		schema?: string;
		limits?: Limits;
		prepare?: () => Promise<void>;
		log?: Logger;
	} & Pick<
		Parameters<typeof startInstance>[0],
		'frameIntervalMs' | 'graceMs' | 'bus' | 'writing' | 'onTickFailed' | 'presence' | 'relay'
	> = {},
): Promise<Instance> {
	const sql = connect(url, { max: 1, schema, limits });
	const instance = startInstance({
		connect: () => connect(url, { max: 1, schema, limits }),
		sql,
		prepare,
		log,
		...options,
	});
	onTestFinished(async () => {
		await instance.stop();
		await sql.end({ timeout: 0 });
	});
	if (!ready) return instance;
	await expect.poll(() => instance.missing(), { timeout: 60_000 }).toEqual([]);
	await expect.poll(() => instance.status().listener, { timeout: 60_000 }).toBe('up');
	return instance;
}

/** A logger whose lines a test can look at. */
export function collectLog(): { log: Logger; lines: string[] } {
	const lines: string[] = [];
	return {
		log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
		lines,
	};
}
