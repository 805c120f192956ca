import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/lib/server/db/connect';
import { createDatabase } from './database';
import { startServer } from './private-server';

test('every call gives a migrated database of its own', async () => {
	const databases = await Promise.all([createDatabase(), createDatabase(), createDatabase()]);
	onTestFinished(async () => {
		await Promise.all(databases.map(({ drop }) => drop()));
	});
	const [first] = databases;
	await first!.sql`INSERT INTO nowboard.events (name) VALUES ('only here')`;
	const counts = await Promise.all(
		databases.map(
			async ({ sql }) => (await sql`SELECT count(*)::int AS n FROM nowboard.events`)[0]?.n,
		),
	);
	expect(counts).toEqual([1, 0, 0]);
	const epochs = await Promise.all(
		databases.map(
			async ({ sql }) => (await sql`SELECT value FROM nowboard.meta WHERE key = 'epoch'`)[0]?.value,
		),
	);
	expect(new Set(epochs).size).toBe(3);
});

test('drops a database with its connections; a second drop is harmless', async () => {
	const { url, drop } = await createDatabase();
	const other = connect(url, { max: 1 });
	await other`SELECT 1`;
	await drop();
	await drop();
	await expect(other`SELECT 1`).rejects.toThrow();
	await other.end({ timeout: 1 });
});

test('a private server crashes, comes back on the same URL and has every committed row', async () => {
	const server = await startServer();
	onTestFinished(server.drop);
	const sql = connect(server.url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	await sql`INSERT INTO nowboard.events (name) VALUES ('before the crash')`;
	await server.stop('immediate');
	await server.start();
	expect(await sql`SELECT name FROM nowboard.events`).toEqual([{ name: 'before the crash' }]);
});
