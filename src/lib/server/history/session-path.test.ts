/** The path of a session against the table, with real rows. */
import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { parseFilter, type Filter } from '../../filter';
import type { SessionPath } from '../../session';
import type { Sql } from '../db/connect';
import { BusyError } from './readings';
import { createSessions, PATH_PAGE, pageQuery, parsePosition, readSession } from './session-path';

function filterOf(...texts: string[]): Filter {
	const parsed = parseFilter(texts);
	if (!parsed.ok) throw new Error(parsed.error);
	return parsed.filter;
}

/** Every page, from the newest event on. */
async function readAll(sql: Sql, session: string, bound: Filter = []) {
	const pages: SessionPath[] = [];
	for (let before: string | null = ''; before !== null;) {
		const position = before === '' ? null : (parsePosition(before) ?? null);
		const page: SessionPath | null = await readSession(sql, { session, bound, before: position });
		if (!page) break;
		pages.push(page);
		before = page.older;
	}
	return pages;
}
const idsOf = (pages: SessionPath[]) => pages.flatMap(({ events }) => events.map(({ id }) => id));

test('a session is read to its beginning in pages, each event once, also where times are equal', async () => {
	const { sql } = await useDatabase();
	// 120 events in 40 milliseconds, months ago, among those of others
	await sql`insert into nowboard.events (name, session_id, properties, created_at)
		select 'step', case when i % 3 = 0 then 'other' else 'mine' end, jsonb_build_object('n', i),
			'2026-01-01T00:00:00Z'::timestamptz + (i / 3) * interval '1 ms' from generate_series(1, 180) as i`;
	await sql`insert into nowboard.events (name, session_id, properties, context, created_at)
		values ('page_view', 'mine', '{"path": "/", "referrer": "https://search.example/?q=a"}', '{"country": "DE"}', '1969-12-31T00:00:00Z')`;
	const wanted = await sql<{ id: string }[]>`
		select id from nowboard.events where session_id = 'mine' order by created_at desc, id desc`;
	const pages = await readAll(sql, 'mine');
	expect(idsOf(pages)).toEqual(wanted.map(({ id }) => Number(id)));
	expect(pages.map(({ events }) => events.length)).toEqual([PATH_PAGE, PATH_PAGE, 21]);
	expect(pages[0]?.start).toMatchObject({
		name: 'page_view',
		properties: { path: '/', referrer: 'https://search.example/?q=a' },
		context: { country: 'DE' },
	});
	expect([pages[1]?.start, pages[0]?.user]).toEqual([undefined, undefined]);
	expect(await readAll(sql, 'of no one')).toEqual([]);
});

test('the sessions of a user are joined, the newest first', async () => {
	const { sql } = await useDatabase();
	await sql`insert into nowboard.events (name, session_id, user_id, created_at) values
		('view', 'phone', null, '2026-01-01T10:00:00Z'), ('login', 'phone', 'anna', '2026-01-01T10:01:00Z'),
		('order', 'phone', 'anna', '2026-01-01T10:05:00Z'), ('login', 'desk', 'anna', '2026-01-02T10:00:00Z'),
		('sync', null, 'anna', '2026-01-03T10:00:00Z'), ('login', 'bens', 'ben', '2026-01-02T10:00:00Z')`;
	const [page] = await readAll(sql, 'phone');
	expect(page?.events.map(({ name, userId }) => [name, userId])).toEqual([
		['order', 'anna'],
		['login', 'anna'],
		['view', undefined],
	]);
	expect(page?.user).toEqual({
		id: 'anna',
		sessions: [
			{
				session: 'desk',
				from: '2026-01-02T10:00:00.000Z',
				to: '2026-01-02T10:00:00.000Z',
				events: 1,
			},
			{
				session: 'phone',
				from: '2026-01-01T10:01:00.000Z',
				to: '2026-01-01T10:05:00.000Z',
				events: 2,
			},
		],
	});
});

test('a bound viewer sees only the events of the filter, on full pages, and nothing of other sessions', async () => {
	const { sql } = await useDatabase();
	await sql`insert into nowboard.events (name, source, session_id, user_id, properties, created_at)
		select 'step', case when i % 20 = 0 then 'shop' else 'secret' end, 's', 'anna', jsonb_build_object('n', i),
			now() - i * interval '1 second' from generate_series(1, 1200) as i`;
	await sql`insert into nowboard.events (name, source, session_id, user_id) values
		('hidden', 'secret', 't', 'anna'), ('hidden', 'secret', 'u', 'ben')`;
	const bound = filterOf('source:shop');
	const pages = await readAll(sql, 's', bound);
	const events = pages.flatMap((page) => page.events);
	expect(pages.map((page) => page.events.length)).toEqual([PATH_PAGE, 10]);
	expect(events.map(({ source, properties }) => [source, properties.n])).toEqual(
		Array.from({ length: 60 }, (_, i) => ['shop', 20 * (i + 1)]),
	);
	expect(pages[0]?.user?.sessions.map(({ session }) => session)).toEqual(['s']);
	// nothing of it may be seen: as if it were not there
	expect(await readSession(sql, { session: 't', bound, before: null })).toBeNull();
	// (control) without the bound it is
	expect(await readSession(sql, { session: 't', bound: [], before: null })).not.toBeNull();
});

test('a page touches its own rows only, and without the index it would read the table', async () => {
	const { sql } = await useDatabase();
	await sql`insert into nowboard.events (name, session_id, created_at)
		select 'x', 's' || i % 200, now() - i * interval '1 second' from generate_series(1, 40000) as i`;
	await sql`analyze nowboard.events`;
	type Plan = { 'Actual Rows': number; 'Rows Removed by Filter'?: number; Plans?: Plan[] };
	const touched = ({ Plans = [], ...plan }: Plan): number =>
		Plans.length === 0
			? plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)
			: Math.max(...Plans.map(touched));
	const explain = async () => {
		const from = { createdAt: Date.now() - 3_600_000, id: '1' };
		const [row] = await sql<{ 'QUERY PLAN': { Plan: Plan }[] }[]>`
			explain (analyze, format json) ${pageQuery(sql, 's7', from, PATH_PAGE + 1)}`;
		return touched(row?.['QUERY PLAN'][0]?.Plan as Plan);
	};
	expect(await explain()).toBeLessThanOrEqual(PATH_PAGE + 2);
	await sql`drop index nowboard.events_session`;
	expect(await explain()).toBeGreaterThan(1_000);
});

test('only so many are read at a time', async () => {
	const { sql } = await useDatabase();
	const sessions = createSessions({ sql, log: { warn: () => {} } });
	const ask = () => sessions.read({ session: 's', bound: [], before: null });
	const answers = await Promise.allSettled(Array.from({ length: 5 }, ask));
	const refused = answers.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
	expect(refused.map(({ reason }) => reason as unknown)).toEqual([expect.any(BusyError)]);
	expect(await ask()).toBeNull();
});
