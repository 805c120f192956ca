import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { createVisitorIds } from './visitor-salt';

const DAY_MS = 24 * 60 * 60_000;
const NOON = Date.UTC(2026, 0, 1, 12);
const visitor = { address: '192.0.2.7', userAgent: 'Firefox', source: 'shop' };

async function start() {
	const { sql } = await useDatabase();
	const salts = async () =>
		(await sql`select key from nowboard.meta where key like 'visitor-salt:%' order by key`).map(
			({ key }) => key as string,
		);
	return { sql, salts };
}
const day = (at: number) => `visitor-salt:${Math.floor(at / DAY_MS)}`;

test('a visitor has one id a day on every instance, and no address in the table', async () => {
	const { sql, salts } = await start();
	let time = NOON;
	const [one, other] = [createVisitorIds(sql, () => time), createVisitorIds(sql, () => time)];
	const [id, same] = await Promise.all([one.of(visitor), other.of(visitor)]);
	expect(id).toMatch(/^day-[\w-]{22}$/);
	expect(same).toBe(id);
	for (const different of [{ address: '192.0.2.8' }, { userAgent: 'Safari' }, { source: 'blog' }])
		expect(await one.of({ ...visitor, ...different })).not.toBe(id);
	time += DAY_MS;
	expect(await one.of(visitor)).not.toBe(id);
	// yesterday's is gone, and with it every way back to an address
	expect(await salts()).toEqual([day(time)]);
	expect(JSON.stringify(await sql`select * from nowboard.meta`)).not.toContain(visitor.address);
});

test('the salt is deleted even without visitors', async () => {
	const { sql, salts } = await start();
	let time = NOON;
	const ids = createVisitorIds(sql, () => time);
	const id = await ids.of(visitor);
	await ids.forget();
	expect(await salts()).toEqual([day(time)]);
	time += DAY_MS;
	await ids.forget();
	expect(await salts()).toEqual([]);
	// nor is it in memory: for the same day another one is made
	time -= DAY_MS;
	expect(await ids.of(visitor)).not.toBe(id);
});

test('an instance whose clock is behind at midnight leaves the new day its salt', async () => {
	const { sql } = await start();
	const midnight = Date.UTC(2026, 0, 2);
	const ahead = createVisitorIds(sql, () => midnight);
	const id = await ahead.of(visitor);
	await createVisitorIds(sql, () => midnight - 1).of(visitor);
	expect(await createVisitorIds(sql, () => midnight).of(visitor)).toBe(id);
});
