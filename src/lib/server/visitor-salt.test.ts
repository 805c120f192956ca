import { expect, test } from 'vitest';
import { useDatabase } from '../../../tests/setup/instances';
import { createVisitorIds } from './visitor-salt';

const DAY_MS = 24 * 60 * 60_000;
const visitor = { address: '192.0.2.7', userAgent: 'Firefox', source: 'shop' };

test('a visitor is the same for a day on every instance, another the next day, and nobody in the table', async () => {
	const { sql } = await useDatabase();
	let time = Date.UTC(2026, 0, 1, 12);
	const [one, other] = [createVisitorIds(sql, () => time), createVisitorIds(sql, () => time)];
	const [id, same] = await Promise.all([one.of(visitor), other.of(visitor)]);
	expect(same).toBe(id);
	for (const different of [{ address: '192.0.2.8' }, { userAgent: 'Safari' }, { source: 'blog' }])
		expect(await one.of({ ...visitor, ...different })).not.toBe(id);
	time += DAY_MS;
	expect(await one.of(visitor)).not.toBe(id);
	const salts = await sql`select key from meta where key like 'visitor-salt:%'`;
	// yesterday's is gone, and with it every way back to an address
	expect(salts.length).toBe(1);
	expect(JSON.stringify(await sql`select * from meta`)).not.toContain(visitor.address);
});
