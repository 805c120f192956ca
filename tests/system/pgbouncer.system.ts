/** Behind a real transaction pooler: what the server says, what still works, and that the direct address fixes it. */
import { expect, onTestFinished, test } from 'vitest';
import postgres from 'postgres';
import { freePort } from '../../scripts/process/ports';
import { connect } from '../../src/lib/server/db/connect';
import { findLimits } from '../../src/lib/server/db/limits';
import { createAppServer } from '../setup/app-server';
import { followHttp, post } from '../setup/follow-http';
import { useDatabase } from '../setup/instances';
import { startPgbouncer } from './pgbouncer';

async function startApp(databaseUrl: string, directUrl: string) {
	const app = createAppServer(await freePort(), databaseUrl, { DATABASE_DIRECT_URL: directUrl });
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	return app;
}

test('only the pooled address is known: it is said within seconds what to set, and events come by polling', async () => {
	const { url } = await useDatabase();
	const pooled = await startPgbouncer(url);
	const app = await startApp(pooled, pooled);
	await expect.poll(app.output, { timeout: 10_000 }).toContain('set DATABASE_DIRECT_URL');
	const client = followHttp(app.url);
	await client.until(({ resets }) => resets() === 1);
	expect(client.of('ping').at(-1)).toMatchObject({ database: 'up', listener: 'deaf' });
	for (const count of [1, 2, 3]) {
		expect(await post(app.url, { name: 'polled' })).toBe(202);
		await client.until(({ ids }) => ids.length === count);
	}
	expect(client.resets()).toBe(1);
});

test('the direct address beside it: NOTIFY arrives, and events are saved through the pooler', async () => {
	const { url, sql } = await useDatabase();
	const app = await startApp(await startPgbouncer(url), url);
	const client = followHttp(app.url);
	await client.until(({ resets }) => resets() === 1);
	await client.until(({ of }) => of('ping').at(-1)?.listener === 'up');
	await Promise.all(Array.from({ length: 20 }, () => post(app.url, { name: 'many' })));
	await client.until(({ ids }) => ids.length === 20);
	expect(await sql`select count(*)::int as n from nowboard.events`).toEqual([{ n: 20 }]);
	expect(app.output()).not.toContain('set DATABASE_DIRECT_URL');
});

test('PgBouncer keeps what a session is started with, whatever the database is set to', async () => {
	const { url, sql } = await useDatabase();
	const [row] = await sql`select current_database() as name`;
	// the test's own database: the setting goes with it
	await sql`alter database ${sql(row?.name as string)} set datestyle to 'German'`;
	const pooledUrl = await startPgbouncer(url);
	const pooled = connect(pooledUrl, { max: 1 });
	onTestFinished(() => pooled.end({ timeout: 1 }));
	const show = (client: postgres.Sql) => client`
		select current_setting('DateStyle') as dates, '2026-01-02 03:04Z'::timestamptz::text as time`;
	expect(await show(pooled)).toEqual([{ dates: 'ISO, MDY', time: '2026-01-02 03:04:00+00' }]);
	// it refuses connections that ask for more
	expect(await findLimits(url)).toMatchObject({ statement_timeout: '15s', lock_timeout: '0' });
	expect(await findLimits(pooledUrl)).toEqual({});
	// (control) the database's own setting
	const own = postgres(url, { max: 1, fetch_types: false });
	onTestFinished(() => own.end({ timeout: 1 }));
	expect(await show(own)).toMatchObject([{ dates: 'German, DMY' }]);
});
