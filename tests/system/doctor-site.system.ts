/** Faults between people and the server, planted into real proxies and processes, and what the doctor says of each. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { listen } from '../setup/listen';
import { startServer, type PrivateServer } from '../setup/private-server';
import { makeTemporaryFolder } from '../setup/server';
import { makeCertificate, type Certificate } from './certificate';
import { runDoctor, shiftClock } from './doctor';
import { runNginx } from './nginx';
import { startPgbouncer } from './pgbouncer';

const PASSWORD = 'correct horse';
let database: PrivateServer;
beforeAll(async () => {
	database = await startServer();
});
afterAll(() => database.drop());

/** As in production; without ORIGIN it takes itself for https and the host that it is asked for. */
async function startApp(env: Record<string, string> = {}): Promise<RunningApp> {
	const app = createAppServer(await freePort(), database.url, {
		ORIGIN: '',
		DASHBOARD_PUBLIC: 'false',
		DASHBOARD_PASSWORD: PASSWORD,
		INGEST_OPEN: 'false',
		...env,
	});
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	return app;
}

type Fault = {
	/** in the server block */
	nginx?: string;
	listen?: string;
	/** to the server: with 1.1 nginx hands on each chunk, buffering or not; 1.0 is its default */
	http?: '1.0';
	/** where it leads, instead of the server */
	target?: string;
	files?: Certificate;
};

/** One nginx with an address for each fault. @returns origins by the faults' names */
async function startProxies<Name extends string>(app: RunningApp, faults: Record<Name, Fault>) {
	const folder = makeTemporaryFolder();
	const good = makeCertificate(folder, 'localhost');
	const servers: string[] = [];
	const origins: Record<string, string> = {};
	for (const [name, fault] of Object.entries<Fault>(faults)) {
		const port = await freePort();
		const { certificate, key } = fault.files ?? good;
		origins[name] = `https://127.0.0.1:${port}`;
		servers.push(`server {
			listen 127.0.0.1:${port} ${fault.listen ?? 'ssl http2'};
			ssl_certificate ${certificate}; ssl_certificate_key ${key};
			proxy_http_version ${fault.http ?? '1.1'}; proxy_set_header Host $http_host; proxy_set_header Connection "";
			${fault.nginx ?? ''}
			location / { proxy_pass ${fault.target ?? app.url.replace('localhost', '127.0.0.1')}; }
		}`);
	}
	const output = runNginx(folder, servers.join('\n'));
	const answers = () => listens(Object.values(origins)[0] ?? '').then((it) => it || output());
	await expect.poll(answers, { timeout: 10_000 }).toBe(true);
	/** with the certificates of this nginx trusted, as those of an authority are */
	const ask = (name: Name, env: Record<string, string> = {}) =>
		runDoctor({
			url: origins[name],
			env: {
				NODE_EXTRA_CA_CERTS: (faults[name].files ?? good).certificate,
				DASHBOARD_PASSWORD: PASSWORD,
				...env,
			},
		});
	return { ask };
}

/** Whether a server listens. */
function listens(origin: string): Promise<boolean> {
	const socket = connect(Number(new URL(origin).port), '127.0.0.1');
	return once(socket, 'connect').then(
		() => !!socket.destroy(),
		() => false,
	);
}

/** A proxy that hands on what it has collected every few seconds. @returns its origin */
async function startCollector(target: string, everyMs: number): Promise<string> {
	const server = createServer((incoming, answer) => {
		const options = { method: incoming.method, headers: incoming.headers };
		const upstream = request(new URL(incoming.url ?? '/', target), options, (response) => {
			answer.writeHead(response.statusCode ?? 502, response.headers);
			if (!response.headers['content-type']?.startsWith('text/event-stream'))
				return void response.pipe(answer);
			let kept: Buffer[] = [];
			const timer = setInterval(() => {
				if (kept.length > 0) answer.write(Buffer.concat(kept));
				kept = [];
			}, everyMs);
			response.once('data', (chunk: Buffer) => {
				answer.write(chunk);
				response.on('data', (chunk: Buffer) => kept.push(chunk));
			});
			response.once('end', () => answer.end());
			answer.once('close', () => {
				clearInterval(timer);
				upstream.destroy();
			});
		});
		upstream.once('error', () => answer.destroy());
		incoming.pipe(upstream);
	});
	return `http://127.0.0.1:${await listen(server)}`;
}

test('control: a deployment as it should be, and everything is looked at', async () => {
	const app = await startApp();
	const { ask } = await startProxies(app, { good: {} });
	const { code, wrong, unseen, text } = await ask('good', { DATABASE_URL: database.url });
	expect([code, wrong, unseen], text).toEqual([0, [], []]);
}, 90_000);

describe('a proxy that', () => {
	/** All at once, because each look takes as long as a ping. */
	test('is not as it should be: each fault is named, and nothing else', async () => {
		// without a login, of which one address has five in five minutes
		const app = await startApp({ DASHBOARD_PUBLIC: 'true' });
		const another = createServer((_, answer) => answer.end('welcome to another program'));
		another.listen(0, '127.0.0.1');
		await once(another, 'listening');
		onTestFinished(() => void another.close());
		const { ask } = await startProxies(app, {
			buffers: { http: '1.0', nginx: 'proxy_ignore_headers X-Accel-Buffering;' },
			compresses: {
				nginx: 'gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream;',
			},
			'speaks HTTP/1.1': { listen: 'ssl' },
			'loses patience': { nginx: 'proxy_read_timeout 5s;' },
			'strips Origin': { nginx: 'proxy_set_header Origin "";' },
			'forges Origin': { nginx: 'proxy_set_header Origin https://$http_host;' },
			'takes small bodies': { nginx: 'client_max_body_size 100k;' },
			collects: { target: await startCollector(app.url, 4_000) },
			'leads nowhere': { target: `http://127.0.0.1:${await freePort()}` },
			'leads elsewhere': { target: `http://127.0.0.1:${(another.address() as AddressInfo).port}` },
			'has an old certificate': { files: makeCertificate(makeTemporaryFolder(), 'localhost', 3) },
		});
		const names = [
			'buffers',
			'compresses',
			'speaks HTTP/1.1',
			'loses patience',
			'strips Origin',
			'forges Origin',
			'takes small bodies',
			'collects',
			'leads nowhere',
			'leads elsewhere',
			'has an old certificate',
		] as const;
		const diagnoses = await Promise.all(
			names.map((name) => ask(name, { DASHBOARD_PUBLIC: 'true', DASHBOARD_PASSWORD: '' })),
		);
		const found = Object.fromEntries(names.map((name, i) => [name, diagnoses[i]?.wrong]));
		expect(found, diagnoses.map(({ text }) => text).join('\n')).toEqual({
			buffers: ['delay'],
			compresses: ['compression'],
			'speaks HTTP/1.1': ['HTTP/2'],
			'loses patience': ['heartbeat'],
			'strips Origin': ['origin'],
			'forges Origin': ['origin'],
			'takes small bodies': ['uploads'],
			collects: ['delay'],
			'leads nowhere': ['readiness'],
			'leads elsewhere': ['readiness'],
			'has an old certificate': ['certificate'],
		});
		expect(diagnoses.map(({ code }) => code)).toEqual(names.map(() => 1));
		const said = (name: (typeof names)[number]) => diagnoses[names.indexOf(name)]?.text;
		expect(said('buffers')).toContain('proxy_buffering off');
		expect(said('compresses')).toContain('gzip_types');
		expect(said('loses patience')).toMatch(/cut off after 5\.\d s.*\n.*proxy_read_timeout/);
		expect(said('collects')).toMatch(/a frame comes \d\.\d s after it was sent/);
	}, 120_000);

	test('no authority has signed for: said, and no password is given to it', async () => {
		const { ask } = await startProxies(await startApp(), { good: {} });
		const { wrong, unseen, text } = await ask('good', { NODE_EXTRA_CA_CERTS: '' });
		expect(wrong).toEqual(['certificate']);
		expect(unseen).toEqual(expect.arrayContaining(['login', 'stream']));
		expect(text).toContain('a password is not given');
	}, 60_000);
});

describe('a server that', () => {
	test('takes itself for another', async () => {
		const app = await startApp({ ORIGIN: 'https://old.example.com' });
		const { ask } = await startProxies(app, { good: {} });
		const { wrong, text } = await ask('good');
		expect(wrong).toEqual(['origin', 'login']);
		expect(text).toMatch(/expects https:\/\/old\.example\.com/);
		expect(text).toMatch(/Set ORIGIN=https:\/\/127\.0\.0\.1:\d+/);
	}, 60_000);

	test('is open to everyone; where that is meant, it is said and not blamed', async () => {
		const app = await startApp({ DASHBOARD_PUBLIC: 'true', INGEST_OPEN: 'true' });
		const { ask } = await startProxies(app, { good: {} });
		const [blamed, meant] = await Promise.all([
			ask('good'),
			ask('good', { DASHBOARD_PUBLIC: 'true', INGEST_OPEN: 'true' }),
		]);
		expect(blamed.wrong).toEqual(['who may look', 'who may send']);
		expect([meant.code, meant.wrong], meant.text).toEqual([0, []]);
	}, 60_000);

	test('has another password than is known here', async () => {
		const { ask } = await startProxies(await startApp(), { good: {} });
		const { wrong } = await ask('good', { DASHBOARD_PASSWORD: 'battery staple' });
		expect(wrong).toEqual(['login']);
	}, 60_000);

	test('does not hear NOTIFY behind a pooler: named with the variable that mends it', async () => {
		const pooled = await startPgbouncer(database.url);
		const app = await startApp({ DATABASE_URL: pooled, DATABASE_DIRECT_URL: pooled });
		const { ask } = await startProxies(app, { good: {} });
		await expect.poll(app.output, { timeout: 10_000 }).toContain('set DATABASE_DIRECT_URL');
		const { wrong, text } = await ask('good');
		expect(wrong).toEqual(['server']);
		expect(text).toContain('Set DATABASE_DIRECT_URL where the server runs');
	}, 60_000);

	test('has lost its database', async () => {
		const app = await startApp();
		const { ask } = await startProxies(app, { good: {} });
		await database.stop();
		onTestFinished(database.start);
		await expect
			.poll(async () => (await fetch(`${app.url}/readyz`)).status, { timeout: 45_000 })
			.toBe(503);
		const { wrong, text } = await ask('good', { DATABASE_URL: database.url });
		expect(wrong.slice(0, 2)).toEqual(['DATABASE_URL', 'readiness']);
		expect(text).toContain('the server says of its database: no connection, or no answer');
	}, 120_000);
});

describe('a clock that is wrong', () => {
	const shift = () => shiftClock('+90s');

	test.each([
		['of the server', () => [shift(), {}], 'the server’s clock'],
		['here', () => [{}, shift()], 'the clock here'],
		['of the database', () => [shift(), shift()], 'the database’s clock'],
	] as const)(
		'%s',
		async (_, shifts, named) => {
			const [server, here] = shifts();
			const app = await startApp(server);
			const { ask } = await startProxies(app, { good: {} });
			const { wrong, text } = await ask('good', { DATABASE_URL: database.url, ...here });
			expect(wrong, text).toEqual(['clocks']);
			expect(text).toContain(`Set ${named} right`);
			expect(text).toMatch(/is (89|90)\.\d s ahead of/);
		},
		60_000,
	);
});
