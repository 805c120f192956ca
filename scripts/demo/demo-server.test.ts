import { connect as connectTcp } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { createAppServer } from '../../tests/setup/app-server';
import { useDatabase } from '../../tests/setup/instances';
import { toDemoServer } from './demo-server';
import { freePort } from '../process/ports';

const KEYS = { web: 'nb_pub_a', api: 'nb_sec_a', public: 'nb_pub_b', secret: 'nb_sec_b' };

const start = (given: NodeJS.ProcessEnv) =>
	toDemoServer({ databaseUrl: 'postgres://none', port: 3000, keys: KEYS, given });

test('where the demo listens, what people type, and how this machine reaches it', () => {
	const told = [
		{},
		{ HOST: '' },
		{ HOST: 'localhost' },
		{ HOST: '::1' },
		{ HOST: '0.0.0.0' },
		{ HOST: '0.0.0.0', ORIGIN: 'http://demo.example' },
		{ HOST: '192.0.2.7' },
		{ HOST: '2001:db8::7' },
	].map((given) => {
		const { env, url, here, isOpen } = start(given);
		expect(env.ORIGIN).toBe(url);
		return [env.HOST, url, here, isOpen ? 'open' : 'this machine'];
	});
	expect(told).toEqual([
		['127.0.0.1', 'http://localhost:3000', 'http://127.0.0.1:3000', 'this machine'],
		['127.0.0.1', 'http://localhost:3000', 'http://127.0.0.1:3000', 'this machine'],
		['localhost', 'http://localhost:3000', 'http://localhost:3000', 'this machine'],
		['::1', 'http://localhost:3000', 'http://[::1]:3000', 'this machine'],
		['0.0.0.0', 'http://localhost:3000', 'http://127.0.0.1:3000', 'open'],
		['0.0.0.0', 'http://demo.example', 'http://127.0.0.1:3000', 'open'],
		['192.0.2.7', 'http://192.0.2.7:3000', 'http://192.0.2.7:3000', 'open'],
		['2001:db8::7', 'http://[2001:db8::7]:3000', 'http://[2001:db8::7]:3000', 'open'],
	]);
});

/** An address of this machine other than loopback: refused there means refused to all other machines. */
const elsewhere =
	Object.values(networkInterfaces())
		.flat()
		.find((one) => one?.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.2';

const isReached = (host: string, port: number) =>
	new Promise<boolean>((resolve) => {
		const socket = connectTcp({ host, port, timeout: 2_000 });
		const settle = (reached: boolean) => () => {
			socket.destroy();
			resolve(reached);
		};
		socket.once('connect', settle(true));
		socket.once('error', settle(false));
		socket.once('timeout', settle(false));
	});

test('only this machine reaches it; with HOST others can view and send', async () => {
	const { url: databaseUrl } = await useDatabase();
	for (const HOST of ['', '0.0.0.0']) {
		const port = await freePort();
		const { env } = toDemoServer({
			databaseUrl,
			port,
			keys: KEYS,
			given: { ...process.env, HOST },
		});
		const app = createAppServer(port, databaseUrl, env);
		onTestFinished(() => app.kill('SIGTERM'));
		await app.start();
		expect(await isReached('127.0.0.1', port), HOST).toBe(true);
		expect(await isReached(elsewhere, port), `${elsewhere}, HOST=${HOST}`).toBe(HOST !== '');
		if (HOST === '') continue;
		const others = `http://${elsewhere}:${port}`;
		expect((await fetch(others)).status).toBe(200);
		const sent = await fetch(`${others}/api/events`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: '{"name":"from elsewhere"}',
		});
		expect(sent.status).toBe(202);
	}
});
