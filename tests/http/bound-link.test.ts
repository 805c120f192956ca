/** A share link with a filter: whatever its holder asks for, only events of that filter leave the server. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createToken } from '../../src/lib/server/access/viewer-token';
import { COOKIE, WORLD_ENV } from '../attempts/world';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

async function start(filter: string[]) {
	const { url: databaseUrl, sql } = await useDatabase();
	const { token, hash } = createToken();
	await sql`insert into nowboard.share_links (hash, name, filter)
		values (${hash}, 'customer', ${`{${filter.join(',')}}`}::text[])`;
	// now, in the half hour before, and long enough ago for that to be known
	for (const minutes of [0, 45, 90])
		await sql`insert into nowboard.events (name, source, properties, session_id, user_id, created_at)
			select name, source, properties::jsonb, 'joint', 'anna', now() - ${minutes}::int * interval '1 minute' from (values
				('page_view', 'shop', '{"path": "/ours"}'),
				('page_view', 'web', '{"path": "/secret", "title": "confidential"}'),
				('confidential_order', 'web', '{"path": "/secret", "customer": "secret"}')
			) as sent (name, source, properties)`;
	const app = createAppServer(await freePort(), databaseUrl, WORLD_ENV);
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	/** @param until what of the endless stream is waited for; default: the whole state */
	const ask = async (
		path: string,
		{
			until = /event: ?reset\n[\s\S]*\n\n/,
			headers = { cookie: `${COOKIE}=${token}` },
		}: { until?: RegExp; headers?: Record<string, string> } = {},
	) => {
		const leaving = new AbortController();
		const response = await fetch(`${app.url}${path}`, {
			redirect: 'manual',
			signal: leaving.signal,
			headers: { accept: path.startsWith('/api') ? '*/*' : 'text/html', ...headers },
		});
		if (!path.startsWith('/api/dashboard/stream'))
			return { status: response.status, text: await response.text() };
		const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
		let text = '';
		while (!until.test(text)) {
			const { value, done } = await reader.read();
			if (done) break;
			text += value;
		}
		leaving.abort();
		return { status: response.status, text };
	};
	/** The state of a stream, while a session is on a page of each source. */
	const askWithPeople = async () => {
		await sql`insert into nowboard.presence (id, session_id, source, path, visible, heard_at, input_at, stated_at, written_at)
			select id, 's' || id, source, path, true, at, at, at, at
			from (values (1, 'shop', '/ours'), (2, 'web', '/secret')) as here (id, source, path), clock_timestamp() as at
			on conflict (id) do update set heard_at = excluded.heard_at, input_at = excluded.input_at, written_at = excluded.written_at`;
		return (await ask('/api/dashboard/stream')).text;
	};
	/** A token that the link's holder makes of it. */
	const makeToken = async () => {
		const headers = { cookie: `${COOKIE}=${token}`, origin: app.url };
		const response = await fetch(`${app.url}/api/tokens`, { method: 'POST', headers });
		return ((await response.json()) as { token: string }).token;
	};
	return { ask, askWithPeople, sql, makeToken };
}

const BY = 'by=path,name,source,props.customer';
/** a time whose half hour has an event of each age that is sent */
const AT = new Date(Date.now() - 40 * 60_000).toISOString();
const ATTEMPTS = [
	...['', '?source=web', '?f=source:web', '?f=-source:shop', '?f=source:shop&f=source:web'],
	...['?f=source^', '?f=-source:', '?f=path:/secret', '?f=props.customer:secret', `?${BY}`],
];

test('a bound link never shows an event of another source, whatever is asked for', async () => {
	const { ask, askWithPeople, sql, makeToken } = await start(['source:shop']);
	const token = await makeToken();
	const seen: { [path: string]: number } = {};
	for (const query of ATTEMPTS) {
		const more = query === '' ? '?' : `${query}&`;
		for (const path of [
			`/${query}`,
			`/kiosk${query}`,
			`/__data.json${query}`,
			`/api/dashboard/stream${query}`,
			`/api/dashboard/history${more}range=30min&${BY}`,
			`/api/dashboard/before${more}${BY}`,
			`/api/dashboard/moment${more}at=${AT}&${BY}`,
			`/api/dashboard/history${more}range=90d&${BY}`,
			...['/', '/kiosk', '/__data.json'].map((page) => `${page}${more}at=${AT}`),
			`/api/dashboard/session${more}session=joint`,
			`/api/dashboard/stream${more}token=${token}`,
			`/api/dashboard/events${query}`,
			`/api/dashboard/events${more}q=secret`,
			`/api/dashboard/people${query}`,
			...['path', 'source', 'props.customer', 'name'].flatMap((dimension) => [
				`/api/dashboard/values${more}dimension=${dimension}`,
				`/api/dashboard/values${more}dimension=${dimension}&limit=5000&range=24h`,
				`/api/dashboard/values${more}dimension=${dimension}&at=${AT}`,
			]),
		]) {
			const { status, text } = await ask(path);
			seen[path] = status;
			// the filter that was asked for is told back; nothing of the events is
			expect(
				/confidential|"key":"\/?secret"/.test(text) ? path : null,
				text.slice(0, 300),
			).toBeNull();
		}
	}
	// (control) the events that the link is for are shown
	for (const path of [
		'stream',
		'before',
		'events',
		`moment?at=${AT}`,
		'values?dimension=path&range=24h',
	])
		expect((await ask(`/api/dashboard/${path}`)).text, path).toContain('/ours');
	expect(new Set(Object.values(seen))).toEqual(new Set([200, 400]));
	// a session that has events of both: those of the filter only
	const joint = await ask('/api/dashboard/session?session=joint');
	expect(joint.text.match(/\/ours/g)?.length).toBeGreaterThan(3);
	// the people of its pages
	await expect
		.poll(askWithPeople, { timeout: 30_000 })
		.toContain('"people":{"active":1,"idle":0,"pages":{"rows":[{"key":"/ours","count":1}]');
	// one by one too; without the time of a first event, which may be another's
	const listed = async () => {
		await askWithPeople();
		return (await ask('/api/dashboard/people')).text;
	};
	await expect
		.poll(listed)
		.toMatch(/^\{"people":\[\{[^}]*"path":"\/ours"[^}]*"since":null[^}]*\}\],"more":0\}$/);
	// what it missed, and what comes, from any cursor
	const { text: state } = await ask('/api/dashboard/stream');
	const cursor = /^id: (.+)$/m.exec(state)?.[1] ?? '';
	await sql`insert into nowboard.events (name, source, properties) values
		('confidential_order', 'web', '{"path": "/secret"}'), ('late', 'shop', '{"path": "/late"}')`;
	for (const [query, headers] of [
		[`cursor=${encodeURIComponent(cursor)}&token=${token}`, {}],
		[`token=${token}&f=source:web&f=source:shop`, { 'last-event-id': cursor }],
		[`token=${token}&by=name`, { 'last-event-id': '0' }],
	] as const) {
		const missed = await ask(`/api/dashboard/stream?${query}`, { headers, until: /"late"/ });
		expect(missed.text, query).not.toMatch(/confidential_order|"key":"\/secret"/);
	}
	// an event's own address, for each of them
	const all = await sql<{ event_id: string; source: string }[]>`
		select event_id, source from nowboard.events`;
	for (const { event_id: id, source } of all) {
		const { text } = await ask(`/?event=${id}`);
		expect(text, id).not.toMatch(/confidential_order|\/secret/);
		expect(text.includes('No event has this address'), id).toBe(source !== 'shop');
	}
	for (const path of ['/status', '/api/dashboard/health', '/settings'])
		expect((await ask(path)).status, path).toBe(403);
});

test('(control) a link without a filter shows everything', async () => {
	const { ask, askWithPeople } = await start([]);
	expect((await ask('/api/dashboard/stream')).text).toContain('/secret');
	await expect
		.poll(askWithPeople, { timeout: 30_000 })
		.toContain('"pages":{"rows":[{"key":"/ours","count":1},{"key":"/secret","count":1}]');
	expect((await ask('/status')).status).toBe(200);
});

test('a link whose filter cannot be read lets no one in', async () => {
	const { ask } = await start(['nonsense']);
	expect((await ask('/api/dashboard/stream')).status).toBe(401);
});
