import type { ViewSpec } from '../../src/lib/server/live/views';
import { describe, expect, test } from 'vitest';
import type { Sql } from '../../src/lib/server/db/connect';
import { FEED_LENGTH } from '../../src/lib/protocol';
import { follow, type Follower } from '../../tests/setup/follow';
import { startTestInstance, useDatabase, useOwnServer } from '../../tests/setup/instances';
import { countErasing, erase, parseErasing, type Erasing } from './erase-events';

const split = (line: string) => (line === '' ? [] : line.split(' '));
const NOTHING: Erasing = { session: null, user: null, from: null, to: null, source: null };
const names = async (sql: Sql) =>
	(await sql`select name from nowboard.events order by id`).map(({ name }) => name as string);

describe('what is understood', () => {
	test.each([
		['--session s-1', { ...NOTHING, session: 's-1' }, false],
		['--user anna@example.com', { ...NOTHING, user: 'anna@example.com' }, false],
		['--session s-1 --source shop --yes', { ...NOTHING, session: 's-1', source: 'shop' }, true],
		[
			'--from 2026-01-01T00:00:00Z --to 2026-01-01T02:00:00+01:00',
			{
				...NOTHING,
				from: new Date('2026-01-01T00:00:00Z'),
				to: new Date('2026-01-01T01:00:00Z'),
			},
			false,
		],
	])('%s', (line, erasing, sure) => {
		expect(parseErasing(split(line))).toEqual({ ok: true, erasing, sure });
	});

	test.each([
		['', ['What to erase must be said: --session, --user, or --from and --to.']],
		['--source shop', ['What to erase must be said: --session, --user, or --from and --to.']],
		[
			'--from 2026-01-01T00:00:00Z',
			['What to erase must be said: --session, --user, or --from and --to.'],
		],
		['--user=', ['--user is empty and must say which.']],
		['--user a --session b', ['--session and --user are given, and one way to choose is enough.']],
		['--session=', ['--session is empty and must say which.']],
		[
			'--session a --to 2026-01-01T00:00:00Z',
			['--session and --from, --to are given, and one way to choose is enough.'],
		],
		[
			'--from 2026-01-01 --to 2026-02-31T00:00Z',
			[
				'--from is "2026-01-01" and must be an ISO 8601 date and time with a zone, such as 2026-01-31T12:00:00Z.',
			],
		],
		[
			'--from 2026-02-01T00:00:00Z --to 2026-01-01T00:00:00Z',
			['--from is 2026-02-01T00:00:00.000Z and must be before --to, 2026-01-01T00:00:00.000Z.'],
		],
	])('%s is refused', (line, errors) => {
		expect(parseErasing(split(line))).toEqual({ ok: false, errors });
	});
});

test('one session, one source, one time: nothing else goes, and it is told first', async () => {
	const { sql } = await useDatabase();
	await sql`insert into nowboard.events (name, session_id, source, created_at) values
		('a', 's', 'shop', '2026-01-01T00:00:00Z'), ('b', 's', 'blog', '2026-01-02T00:00:00Z'),
		('c', 't', 'shop', '2026-01-02T00:00:00Z'), ('d', null, 'shop', '2026-01-03T00:00:00Z')`;
	const cut = async (erasing: Partial<Erasing>) => {
		const all = { ...NOTHING, ...erasing };
		const count = await countErasing(sql, all);
		expect(await erase(sql, all)).toBe(count);
		return names(sql);
	};
	expect(await cut({ session: 'unknown' })).toEqual(['a', 'b', 'c', 'd']);
	expect(await cut({ session: 's', source: 'blog' })).toEqual(['a', 'c', 'd']);
	const [from, to] = [new Date('2026-01-02T00:00:00Z'), new Date('2026-01-03T00:00:00Z')];
	expect(await cut({ from, to })).toEqual(['a', 'd']);
	expect(await cut({ session: 's' })).toEqual(['d']);
	const audit =
		await sql`select subject from nowboard.audit where action = 'events erased' order by id`;
	expect(audit.map(({ subject }) => subject as string)).toEqual([
		'0 of a session',
		'1 of a session, of blog',
		'1 from 2026-01-02T00:00:00.000Z to 2026-01-03T00:00:00.000Z',
		'1 of a session',
	]);
});

test('a user goes with what their sessions sent before, and sessions of several users keep the rest', async () => {
	const { sql } = await useDatabase();
	await sql`insert into nowboard.events (name, session_id, user_id, source) values
		('before login', 's1', null, 'web'), ('order', 's1', 'anna', 'web'), ('other device', 's2', 'anna', 'web'),
		('server', null, 'anna', 'api'), ('shared', 's3', null, 'web'), ('at the desk', 's3', 'anna', 'web'),
		('at the desk too', 's3', 'ben', 'web'), ('a visitor', 's4', null, 'web')`;
	await sql`insert into nowboard.presence (id, session_id, source, visible, heard_at, stated_at, written_at)
		select row_number() over (), session, 'web', true, now(), now(), now() from unnest('{s1,s4}'::text[]) as session`;
	const of = (user: string): Erasing => ({ ...NOTHING, user });
	expect(await countErasing(sql, of('carl'))).toBe(0);
	expect(await countErasing(sql, of('anna'))).toBe(5);
	// in pieces: what was sent before the login goes first, while it can still be found
	expect(await erase(sql, of('anna'), () => {}, 1)).toBe(5);
	expect(await names(sql)).toEqual(['shared', 'at the desk too', 'a visitor']);
	expect(
		(await sql`select session_id from nowboard.presence`).map((row) => row.session_id),
	).toEqual(['s4']);
	const [audit] = await sql`select subject from nowboard.audit where action = 'events erased'`;
	expect(audit?.subject).toBe('5 of a user');
});

/** What a client was told of events, in frames of any kind. */
const told = (client: Follower) =>
	client.events.flatMap(({ name, data }) =>
		name === 'activity' || name === 'reset' ? (data as { events: { name: string }[] }).events : [],
	);
const knows = (client: Follower, name: string) => told(client).some((one) => one.name === name);

const SHOP: ViewSpec = {
	filter: [{ dimension: 'source', operator: ':', value: 'shop', negated: false }],
	by: ['path'],
};

describe('beside running instances', () => {
	const useDatabase = useOwnServer();

	/** A private event older than the feed and the figures, whose frame the ring of the instance still holds. */
	async function start() {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const live = follow(instance);
		const source = { open: (cursor: string | null) => instance.open(cursor, { view: SHOP }) };
		const ofSource = follow(source);
		await live.until(() => live.resets() === 1);
		await sql`insert into nowboard.events (name) values ('before')`;
		await live.until(() => knows(live, 'before'));
		const cursor = live.cursor();
		await sql`insert into nowboard.events (name, session_id, source, created_at)
			values ('private', 's', 'shop', now() - interval '2 hours')`;
		await live.until(() => knows(live, 'private'));
		await sql`insert into nowboard.events (name, created_at)
			select 'after', now() - interval '2 hours' from generate_series(1, ${FEED_LENGTH})`;
		await live.until(() => knows(live, 'after'));
		return { url, sql, instance, source, live, ofSource, cursor };
	}

	test('open pages are reset without it, and no client receives it again', async () => {
		const { url, sql, instance, source, live, ofSource, cursor } = await start();
		await ofSource.until(() => knows(ofSource, 'private'));
		expect(await erase(sql, { ...NOTHING, session: 's' })).toBe(1);
		for (const client of [live, ofSource]) {
			await client.until(() => client.resets() === 2);
			const state = client.of('reset').at(-1);
			expect(state?.events.map(({ name }) => name)).not.toContain('private');
		}
		const fresh = await startTestInstance(url);
		const others = [follow(instance, cursor), follow(fresh, cursor), follow(source, cursor)];
		for (const other of others) {
			await other.until(() => other.resets() === 1);
			expect(knows(other, 'private')).toBe(false);
		}
		await sql`insert into nowboard.events (name) values ('goes on')`;
		for (const client of [live, ...others.slice(0, 2)])
			await client.until(() => client.ids.length > 0 && knows(client, 'goes on'));
		expect([live.resets(), ...others.map((one) => one.resets())]).toEqual([2, 1, 1, 1]);
	});

	test('(control) a DELETE alone leaves it in the memory of the instance', async () => {
		const { sql, instance, cursor } = await start();
		await sql`delete from nowboard.events where session_id = 's'`;
		const other = follow(instance, cursor);
		await other.until(() => knows(other, 'after'));
		expect(knows(other, 'private')).toBe(true);
	});

	test('in chunks, of what the figures count: they are those of SQL', async () => {
		const { url, sql } = await useDatabase();
		const client = follow(await startTestInstance(url));
		await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name, session_id) select 'page_view', 's' || i % 10 from generate_series(1, 1000) i`;
		await client.until(() => client.ids.length === 1_000);
		const progress: number[] = [];
		const erased = await erase(
			sql,
			{ ...NOTHING, session: 's1' },
			(rows) => progress.push(rows),
			40,
		);
		expect([erased, progress]).toEqual([100, [40, 80]]);
		const totals = { pageViews: 900, activeSessions: 9, eventsCount: 900 };
		await client.until(() => client.of('reset').at(-1)?.totals.eventsCount === 900);
		expect(client.of('reset').at(-1)).toMatchObject({ totals });
	});
});
