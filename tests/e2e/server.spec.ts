import { openLive } from './board';
import { expect, test } from './server';

test.use({ ownServer: true });

test('the server is ready, answers a killed process with a new one, and keeps its data', async ({
	server,
}) => {
	const post = () =>
		fetch(`${server.url}/api/events`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ name: 'hello' }),
		});
	expect(await (await post()).json()).toEqual({ accepted: 1, duplicates: 0 });
	await server.kill('SIGKILL');
	await expect(post()).rejects.toThrow();
	await server.start();
	expect(await (await post()).json()).toEqual({ accepted: 1, duplicates: 0 });
	const rows = await server.sql`SELECT name FROM nowboard.events ORDER BY id`;
	expect(rows.map((row) => row.name)).toEqual(['hello', 'hello']);
});

test('a page is a connection until its context is closed; a test’s own requests are none', async ({
	browser,
	server,
}) => {
	expect(await server.connections()).toBe(0);
	const context = await browser.newContext();
	await openLive(await context.newPage(), server.url);
	expect(await server.connections()).toBeGreaterThan(0);
	await context.close();
	await expect.poll(server.connections).toBe(0);
});
