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
