/** Events made to break every viewer's page: pages and their data are still answered. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { addKey, addSession, COOKIE, WORLD_ENV } from '../attempts/world';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

const HOSTILE = [
	'{"__proto__":{"polluted":true},"constructor":{"prototype":1}}',
	'{"a":[{"b":{"__proto__":null}}],"toString":1,"__defineGetter__":{"hasOwnProperty":0}}',
	'{"path":"</script><script>alert(1)</script>","referrer":"javascript:alert(1)"}',
	'{"path":{"__proto__":"/"},"referrer":[[]],"title":-0,"n":1e308,"":"empty","a b":"\\u2028"}',
];
const PAGES = ['/', '/?source=shop', '/?range=24h', '/kiosk', '/status', '/settings'];

test.each(['POST', 'INSERT'])(
	'whatever comes by %s, pages and their data are answered',
	async (way) => {
		const { url: databaseUrl, sql } = await useDatabase();
		const app = createAppServer(await freePort(), databaseUrl, WORLD_ENV);
		onTestFinished(() => app.kill('SIGTERM'));
		await app.start();
		const cookie = `${COOKIE}=${(await addSession(sql)).token}`;
		const { key } = await addKey(sql, 'secret', 'shop');
		const look = async (path: string) => {
			const answer = await fetch(app.url + path, { headers: { cookie, accept: '*/*' } });
			return { status: answer.status, text: await answer.text() };
		};
		for (const properties of HOSTILE)
			if (way === 'POST') {
				const { status } = await fetch(`${app.url}/api/events`, {
					method: 'POST',
					headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
					body: `{"name":"page_view","properties":${properties}}`,
				});
				expect(status, properties).toBe(202);
			} else
				await sql`insert into nowboard.events (name, source, properties) values ('page_view', 'shop', ${properties}::text::jsonb)`;
		// they are shown, so the page was made of them
		await expect
			.poll(async () => (await look('/')).text, { timeout: 60_000 })
			.toContain('polluted');
		for (const path of PAGES) {
			const page = await look(path);
			expect([page.status, path]).toEqual([200, path]);
			expect(page.text, path).not.toContain('<script>alert');
			const data = await look(
				path
					.replace(/(\?|$)/, path === '/' ? '__data.json$1' : '/__data.json$1')
					.replace('//', '/'),
			);
			expect([data.status, `data of ${path}`]).toEqual([200, `data of ${path}`]);
		}
	},
	60_000,
);
