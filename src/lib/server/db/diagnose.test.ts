import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { startTcpProxy } from '../../../../tests/setup/tcp-proxy';
import { connect as open } from './connect';
import { DeadlineError } from './deadline';
import { explain } from './diagnose';

const late = new DeadlineError('a read', 1);

test('locked: a statement waits for a lock on events of this database; slow: none does', async () => {
	const { url, sql } = await useDatabase();
	// a copy of the same template: the tables of the two have the same oids
	const { url: otherUrl } = await useDatabase();
	const connect = () => open(url, { max: 1 });
	expect((await explain(late, connect)).trouble).toBe('slow');
	const locker = open(url, { max: 1 });
	const waiting = open(url, { max: 1 });
	try {
		await locker.begin(async (transaction) => {
			await transaction`lock table nowboard.events in access exclusive mode`;
			const read = waiting`select from nowboard.events`;
			read.catch(() => {});
			await expect
				.poll(
					() =>
						sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
					{ timeout: 60_000 },
				)
				.toHaveLength(1);
			expect((await explain(late, connect)).trouble).toBe('locked');
			expect((await explain(late, () => open(otherUrl, { max: 1 }))).trouble).toBe('slow');
		});
	} finally {
		await Promise.all([locker.end({ timeout: 1 }), waiting.end({ timeout: 1 })]);
	}
});

test('a server that cancels the second query as well has answered: slow, not unreachable', async () => {
	const { url, sql } = await useDatabase();
	await sql.unsafe(`
		create schema slow;
		create function slow.to_regclass(text) returns regclass language plpgsql as
			$$ begin perform pg_sleep(3600); return null; end $$`);
	const slow = `${url}?search_path=slow,pg_catalog,public&statement_timeout=20`;
	expect((await explain(late, () => open(slow, { max: 1 }))).trouble).toBe('slow');
});

test('a server that does not answer the second query is unreachable', async () => {
	const { url } = await useDatabase();
	const proxy = await startTcpProxy(Number(new URL(url).port));
	try {
		proxy.freeze();
		const frozen = new URL(url);
		frozen.port = String(proxy.port);
		expect((await explain(late, () => open(frozen.href, { max: 1 }))).trouble).toBe('unreachable');
	} finally {
		await proxy.close();
	}
});

test('other errors need no second query', async () => {
	const refused = Object.assign(new Error('refused'), { code: '28000' });
	const connect = () => {
		throw new Error('no query expected');
	};
	expect(await explain(refused, connect)).toEqual({ trouble: 'denied', fix: null });
});
