import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../../../tests/setup/database';
import { backoff, cleanUrl, connect } from './connect';

test('parameters that Postgres would refuse are dropped and named', () => {
	const base = 'postgres://me:p%40ss@db.example:5432/nowboard';
	const cases: [url: string, cleaned: string, dropped: string[]][] = [
		[base, base, []],
		[`${base}?sslmode=require`, `${base}?sslmode=require`, []],
		[`${base}?pgbouncer=true&connection_limit=5`, base, ['pgbouncer', 'connection_limit']],
		[
			`${base}?sslmode=require&channel_binding=require`,
			`${base}?sslmode=require`,
			['channel_binding'],
		],
		[`${base}?schema=public`, base, ['schema']],
		[`${base}?sslrootcert=system`, `${base}?sslmode=verify-full`, []],
		[`${base}?sslrootcert=/etc/ca.pem`, base, ['sslrootcert']],
		['postgresql://a,b:1/db?schema=x', 'postgresql://a,b:1/db', ['schema']],
	];
	const results = cases.map(([url]) => [url, cleanUrl(url).url, cleanUrl(url).dropped]);
	expect(results).toEqual(cases);
});

test('what is no Postgres URL is refused without being repeated', () => {
	expect(() => cleanUrl('mysql://me:secret@localhost/db')).toThrow(/must look like postgres:/);
	expect(() => cleanUrl('mysql://me:secret@localhost/db')).not.toThrow(/secret/);
});

test('a URL of a hosted database with foreign parameters connects', async () => {
	const { url, drop } = await createDatabase();
	onTestFinished(drop);
	const sql = connect(`${url}?pgbouncer=true&schema=public&channel_binding=prefer`, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	const [row] = await sql`SELECT current_setting('application_name') AS name`;
	expect(row).toEqual({ name: 'nowboard' });
});

test('waiting between attempts has a floor and a cap, with chance on top', () => {
	const attempts = [0, 1, 2, 3, 50];
	expect(attempts.map((n) => backoff(n, () => 0))).toEqual([0.25, 0.5, 1, 1, 1]);
	expect(attempts.map((n) => backoff(n, () => 1))).toEqual([0.3125, 0.625, 1.25, 1.25, 1.25]);
});

test('a database that turns connections away is not hammered', async () => {
	const { url, sql: owner, drop } = await createDatabase();
	onTestFinished(drop);
	const name = new URL(url).pathname.slice(1);
	await owner`ALTER DATABASE ${owner(name)} CONNECTION LIMIT 0`;
	await owner`CREATE ROLE guest_${owner.unsafe(name)} LOGIN PASSWORD 'guest'`;
	onTestFinished(async () => void (await owner`DROP ROLE guest_${owner.unsafe(name)}`));
	const guest = new URL(url);
	guest.username = `guest_${name}`;
	guest.password = 'guest';
	const started = performance.now();
	const sql = connect(guest.href, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 0 }));
	let refusals = 0;
	while (performance.now() - started < 1_000) {
		await sql`SELECT 1`.catch(() => refusals++);
	}
	expect(refusals).toBeGreaterThan(0);
	expect(refusals).toBeLessThanOrEqual(5);
});
