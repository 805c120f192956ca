import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { connect, type Sql } from './connect';
import { createRenewingClient } from './renewing-client';

test('the first query connects; after `renew` the next goes to a fresh client, and the old one’s are cut off', async () => {
	const { url } = await useDatabase();
	const made: Sql[] = [];
	const client = createRenewingClient(() => {
		const sql = connect(url, { max: 1 });
		made.push(sql);
		return sql;
	});
	client.renew();
	expect(made.length).toBe(0);
	const first = client.sql();
	expect(await first`select 1 as one`).toEqual([{ one: 1 }]);
	expect(client.sql()).toBe(first);
	const stuck = first`select pg_sleep(600)`.then(
		() => 'answered',
		() => 'cut off',
	);
	client.renew();
	expect(await stuck).toBe('cut off');
	expect(await client.sql()`select 2 as two`).toEqual([{ two: 2 }]);
	expect(made.length).toBe(2);
	await client.end(1);
	await expect(client.sql()`select 3`).rejects.toThrow();
});

test('after a failure within `run` the next goes to a fresh client, once for all that failed with it', async () => {
	const { url } = await useDatabase();
	const made: Sql[] = [];
	const client = createRenewingClient(() => {
		const sql = connect(url, { max: 1 });
		made.push(sql);
		return sql;
	});
	const failing = () => client.run((sql) => sql`select 1 / 0`);
	await Promise.allSettled([failing(), failing()]);
	await expect(failing()).rejects.toThrow('division by zero');
	expect(await client.run((sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
	expect(made.length).toBe(3);
	await client.end(1);
});
