/** SIGTERM and rolling restarts of `node build`, with clients that must not notice more than a farewell. */
import { connect as dial } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { connect } from '../../src/lib/server/db/connect';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { startBalancer } from '../setup/balancer';
import { followHttp, post } from '../setup/follow-http';
import { useDatabase } from '../setup/instances';
import { restartInTurn } from '../setup/rolling';

async function startApp(databaseUrl: string): Promise<RunningApp> {
	const app = createAppServer(await freePort(), databaseUrl);
	onTestFinished(() => app.kill('SIGKILL'));
	await app.start();
	return app;
}

/** A client that looks at the source `big`, and reads nothing of it. */
async function stall(url: string): Promise<void> {
	const { port } = new URL(url);
	const socket = dial(Number(port), '127.0.0.1').on('error', () => {});
	onTestFinished(() => void socket.destroy());
	socket.pause();
	await new Promise<void>((resolve) =>
		socket.write('GET /api/dashboard/stream?source=big HTTP/1.1\r\nHost: localhost\r\n\r\n', () =>
			resolve(),
		),
	);
}

test('SIGTERM with 1,000 open streams: events under way are saved and answered, everyone is told, the process is gone', async () => {
	const { url: databaseUrl } = await useDatabase();
	const sql = connect(databaseUrl, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	const app = await startApp(databaseUrl);
	const clients = Array.from({ length: 1_000 }, () => followHttp(app.url, null, 'small'));
	for (let i = 0; i < 5; i++) await stall(app.url);
	await Promise.all(clients.map((one) => one.until(({ resets }) => resets() === 1, 100_000)));
	// more than the kernel hides for those who do not read
	for (let i = 0; i < 3; i++)
		await sql`insert into nowboard.events (name, source, properties)
			select 'x', 'big', jsonb_build_object('text', repeat('x', 8000)) from generate_series(1, 900)`;
	await sql`insert into nowboard.events (name, source) values ('x', 'small')`;
	await clients[0]?.until(({ ids }) => ids.length === 1, 100_000);
	// while the table is locked they are received and not saved; an answer to another request says that they were read
	await sql`begin`;
	await sql`lock table nowboard.events in access exclusive mode`;
	const sent = Array.from({ length: 50 }, (_, i) => post(app.url, { name: `under way ${i}` }));
	for (let i = 0; i < 3; i++) await (await fetch(`${app.url}/healthz`)).text();

	const gone = app.kill('SIGTERM');
	await sql`commit`;
	await gone;
	// each has an answer, and it is true; "not now" only where this machine took longer than requests wait
	const answers = await Promise.all(sent);
	const taken = answers.filter((status) => status === 202).length;
	expect(answers.filter((status) => ![202, 503].includes(status))).toEqual([]);
	expect(taken).toBeGreaterThan(0);
	expect(
		await sql`select count(*)::int as n from nowboard.events where starts_with(name, 'under way')`,
	).toEqual([{ n: taken }]);
	await Promise.all(clients.map((one) => one.until(({ ended }) => ended())));
	expect(new Set(clients.map((one) => [one.status(), one.failure()].join()))).toEqual(
		new Set(['200,']),
	);
	expect(new Set(clients.map(({ events }) => events.at(-1)?.name))).toEqual(new Set(['bye']));
	const delays = clients.map(({ of }) => of('bye')[0]?.retryMs as number);
	expect(Math.max(...delays)).toBeLessThanOrEqual(3_000);
	// each has a delay of its own: of 1,000 out of 3,001, some 850 differ
	expect(new Set(delays).size).toBeGreaterThan(600);
	// not killed: it ended by itself in time
	expect(app.exitCode()).toBe(0);
}, 300_000);

test('a rolling restart of two instances behind a reverse proxy: no loss, no double, no failed answer, arrivals spread', async () => {
	const { url: databaseUrl, sql } = await useDatabase();
	const apps = [await startApp(databaseUrl), await startApp(databaseUrl)];
	await restartInTurn(apps, await startBalancer(apps.map((app) => app.url)), sql);
}, 300_000);
