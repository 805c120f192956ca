import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../../../tests/setup/database';
import { backoff, connect } from './connect';

test('a session has the settings that reading relies on, whatever the role and the URL say', async () => {
	const { url, drop } = await createDatabase();
	onTestFinished(drop);
	const sql = connect(`${url}?timezone=Asia/Tokyo`, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	const [row] = await sql`
		SELECT current_setting('application_name') AS name, current_setting('DateStyle') AS dates,
			current_setting('TimeZone') AS zone, current_setting('standard_conforming_strings') AS strings`;
	expect(row).toEqual({ name: 'nowboard', dates: 'ISO, MDY', zone: 'UTC', strings: 'on' });
});

test('a URL that cannot be read is an error that names the part and no password', () => {
	expect(() => connect('postgres://me:hunter2%@localhost/db')).toThrow(/"%" in its password/);
	expect(() => connect('postgres://me:hunter2%@localhost/db')).not.toThrow(/hunter2/);
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
