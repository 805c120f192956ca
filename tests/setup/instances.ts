/** Databases, and instances of the reading side in this process, that end with the test that asked for them. */
import pino, { type Logger } from 'pino';
import { expect, onTestFinished } from 'vitest';
import { connect, type Limits, type Sql } from '../../src/lib/server/db/connect';
import { createDatabase, type TestDatabase } from './database';
import { startServer } from './private-server';
import { startInstance, type Instance } from '../../src/lib/server/stream/hub';

/** A fresh database; dropped when the test has finished. */
export async function useDatabase(): Promise<TestDatabase> {
	const database = await createDatabase();
	onTestFinished(database.drop);
	return database;
}

/**
 * A migrated database on a server of its own: a cursor's holes are transactions of all its databases, and who has one below a deleted
 * transaction counts as having missed it.
 */
export async function useOwnServer(): Promise<{ url: string; sql: Sql }> {
	const server = await startServer();
	const sql = connect(server.url, { max: 4 });
	onTestFinished(async () => {
		await sql.end({ timeout: 1 });
		await server.drop();
	});
	return { url: server.url, sql };
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
