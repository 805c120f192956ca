/** What many at once cost `node build`: connections to the database, and requests that wait. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { MOST_CONNECTIONS } from '../../src/lib/server/db/connect';
import { FREE_REFUSALS } from '../../src/lib/server/http/tarpit';
import { addKey, addSession, WORLD_ENV } from '../attempts/world';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

async function startClosed(env: Record<string, string> = {}) {
	const { url: databaseUrl, sql } = await useDatabase();
	const app = createAppServer(await freePort(), databaseUrl, { ...WORLD_ENV, ...env });
	onTestFinished(() => app.kill('SIGKILL'));
	await app.start();
	return { app, sql };
}

test('however many come and whatever they ask, the database has a dozen connections', async () => {
	const { app, sql } = await startClosed();
	const { key } = await addKey(sql, 'secret', 'shop');
	const { token } = await addSession(sql);
	const cookie = `nowboard_viewer=${token}`;
	const open = new AbortController();
	let most = 0;
	let watching = true;
	const watch = (async () => {
		while (watching) {
			const [row] = await sql<{ n: number }[]>`
				select count(*)::int as n from pg_stat_activity
				where datname = current_database() and application_name = 'nowboard'`;
			most = Math.max(most, row?.n ?? 0);
			await pause(10);
		}
	})();
	const ask = (path: string, init: RequestInit = {}) =>
		fetch(`${app.url}${path}`, { ...init, signal: open.signal }).then(
			(response) => response.status,
			() => 0,
		);
	const unknown = (i: number) => String(i).padStart(43, '0');
	const stream = (cursor: string) =>
		fetch(`${app.url}/api/dashboard/stream?cursor=${cursor}`, {
			headers: { cookie },
			signal: open.signal,
		}).catch(() => null);
	const asked = Array.from({ length: 40 }, (_, i) => [
		ask('/api/events', {
			method: 'POST',
			headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
			body: JSON.stringify([{ name: 'a' }, { name: 'b' }]),
		}),
		ask('/api/events', {
			method: 'POST',
			headers: { authorization: `Bearer nb_pub_${unknown(i)}`, 'x-forwarded-for': `10.0.${i}.1` },
		}),
		ask('/', {
			headers: { cookie: `nowboard_viewer=${unknown(i)}`, 'x-forwarded-for': `10.1.${i}.1` },
		}),
		ask(`/s/${unknown(1_000 + i)}`, { headers: { 'x-forwarded-for': `10.2.${i}.1` } }),
		ask(`/api/dashboard/history?range=7d&source=s${i}`, { headers: { cookie } }),
		ask('/settings', { headers: { cookie } }),
		stream(''),
	]).flat();
	await Promise.all(asked);
	// they stay open: it is not far from the truth either
	await expect.poll(() => most).toBeGreaterThanOrEqual(MOST_CONNECTIONS - 4);
	watching = false;
	await watch;
	open.abort();
	expect(most).toBeLessThanOrEqual(MOST_CONNECTIONS);
});

test('after many refusals, unknown clients wait before a lookup; known ones, preflights and other networks do not', async () => {
	const { app, sql } = await startClosed();
	const { token, hash } = await addSession(sql);
	const STATUS = '/api/dashboard/status';
	const ask = async (cookie: string, address = '10.8.8.8', method = 'GET', path = STATUS) => {
		const headers = { 'x-forwarded-for': address, cookie: `nowboard_viewer=${cookie}` };
		return (await fetch(`${app.url}${path}`, { method, headers })).status;
	};
	expect(await ask(token)).toBe(200);
	for (let i = 0; i < FREE_REFUSALS; i++) expect(await ask('none')).toBe(401);
	// in the order in which they are answered
	const answered: string[] = [];
	const unknown = (await addSession(sql)).token;
	const tell = (who: string, status: Promise<number>) =>
		status.then((status) => answered.push(`${who} ${status}`));
	const asking = Promise.all([
		tell('a session that is not known here', ask(unknown)),
		tell('the same with OPTIONS', ask(unknown, '10.8.8.8', 'OPTIONS')),
	]);
	await tell('who is known', ask(token));
	await tell('a preflight', ask('none', '10.8.8.8', 'OPTIONS', '/api/events'));
	await tell('elsewhere', ask('none', '10.7.7.7'));
	await sql`delete from nowboard.sessions where hash <> ${hash}`;
	await asking;
	// those who waited did so for a time of their own
	expect([...answered.slice(0, 3), ...answered.slice(3).sort()]).toEqual([
		'who is known 200',
		'a preflight 204',
		'elsewhere 401',
		// ended while it waited: it was looked up afterwards
		'a session that is not known here 401',
		'the same with OPTIONS 401',
	]);
});
