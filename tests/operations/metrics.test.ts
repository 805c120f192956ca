/** A real scrape of `node build`: the format is right, the names are, and every value moves by what was done and by nothing else. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { connect } from '../../src/lib/server/db/connect';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { lintFamilies, parseExposition } from '../setup/exposition';
import { followHttp } from '../setup/follow-http';
import { useDatabase } from '../setup/instances';

const METRICS_TOKEN = 'a token for prometheus';

async function startApp(databaseUrl: string, env: Record<string, string>): Promise<RunningApp> {
	const app = createAppServer(await freePort(), databaseUrl, { LOG_LEVEL: 'silent', ...env });
	onTestFinished(() => app.kill('SIGKILL'));
	await app.start();
	return app;
}

const scrape = (app: RunningApp, authorization = `Bearer ${METRICS_TOKEN}`) =>
	fetch(`${app.url}/metrics`, { headers: { authorization } });

/** Series by name and labels, as they are written; `buckets` are left out. */
async function readValues(app: RunningApp): Promise<Map<string, number>> {
	const families = parseExposition(await (await scrape(app)).text());
	const values = new Map<string, number>();
	for (const { samples } of families.values())
		for (const { name, labels, value } of samples) {
			if (name.endsWith('_bucket')) continue;
			const text = Object.entries(labels).map(([key, label]) => `${key}=${label}`);
			values.set(
				name.replace('nowboard_', '') + (text.length > 0 ? ` ${text.join(' ')}` : ''),
				value,
			);
		}
	return values;
}

function send(app: RunningApp, body: unknown, type = 'application/json'): Promise<Response> {
	return fetch(`${app.url}/api/events`, {
		method: 'POST',
		headers: { 'content-type': type },
		body: typeof body === 'string' ? body : JSON.stringify(body),
	});
}

test('the format, the names and the content type are as Prometheus wants them', async () => {
	const { url } = await useDatabase();
	const app = await startApp(url, { METRICS_TOKEN });
	await send(app, { name: 'one' });
	const answer = await scrape(app);
	expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
	const families = parseExposition(await answer.text());
	expect(lintFamilies(families.values())).toEqual([]);
	expect([...families.keys()].filter((name) => !name.startsWith('nowboard_'))).toEqual([]);
	expect(families.get('nowboard_build_info')?.samples[0]?.labels).toEqual({
		version: expect.stringMatching(/^\d+\.\d+\.\d+/),
	});
	for (const name of [
		'nodejs_eventloop_lag_p99_seconds',
		'process_cpu_seconds_total',
		'process_resident_memory_bytes',
		'process_start_time_seconds',
	])
		expect(families.get(`nowboard_${name}`)?.samples[0]?.value, name).toBeGreaterThan(0);
});

test('every value moves by exactly what was done', async () => {
	const { url, sql } = await useDatabase();
	const app = await startApp(url, { METRICS_TOKEN });
	const staying = followHttp(app.url);
	await staying.until(({ resets }) => resets() === 1);
	const before = await readValues(app);

	const [a, b] = [crypto.randomUUID(), crypto.randomUUID()];
	const eight = Array.from({ length: 8 }, (_, i) => ({ name: `batch ${i}` }));
	// one after the other, so that each is a group of its own
	for (const [body, status] of [
		[eight, 202],
		[{ name: 'once', eventId: a }, 202],
		[{ name: 'once', eventId: a }, 202],
		[
			[
				{ name: 'x', eventId: b },
				{ name: 'x', eventId: b },
			],
			202,
		],
		[{ name: '' }, 400],
		['{', 400],
		[{ name: 'x', properties: 1 }, 400],
	] as const)
		expect((await send(app, body)).status).toBe(status);
	expect((await send(app, 'name=x', 'application/x-www-form-urlencoded')).status).toBe(415);
	await sql`insert into nowboard.events (name) select 'sql' from generate_series(1, 5)`;
	await staying.until(({ ids }) => ids.length === 8 + 1 + 1 + 5);
	const leaving = followHttp(app.url);
	await leaving.until(({ resets }) => resets() === 1);
	await leaving.leave();
	await expect
		.poll(async () => (await readValues(app)).get('stream_ended_total reason=client_left'))
		.toBe(1);

	const after = await readValues(app);
	const moved = (names: RegExp) =>
		Object.fromEntries(
			[...after]
				.filter(([name]) => names.test(name))
				.map(([name, value]) => [name, value - (before.get(name) ?? NaN)])
				.filter(([, by]) => by !== 0),
		);
	expect(moved(/^(ingest|stream_(clients|ended|events|resets))/)).toEqual({
		'ingest_events_total result=accepted': 8 + 1 + 1,
		'ingest_events_total result=duplicate': 1 + 1,
		ingest_accepted_requests_total: 4,
		// the second of two equal ids in one request never reaches the INSERT
		ingest_group_events_count: 4,
		ingest_group_events_sum: 8 + 1 + 1 + 1,
		'ingest_rejected_requests_total reason=invalid': 2,
		'ingest_rejected_requests_total reason=malformed': 1,
		'ingest_rejected_requests_total reason=unsupported': 1,
		stream_events_total: 8 + 1 + 1 + 5,
		stream_resets_total: 1,
		'stream_ended_total reason=client_left': 1,
	});
	const { stream_frames_total: frames = 0, stream_bytes_total: bytes = 0 } = moved(/^stream_/);
	expect(after.get('ring_frames')).toBe(after.get('stream_frames_total'));
	expect(frames).toBeGreaterThanOrEqual(2);
	expect(bytes).toBeGreaterThan(frames * 50);
	expect(after.get('stream_clients')).toBe(1);
	const { delivery_delay_seconds_count: delays = 0, delivery_delay_seconds_sum: delayed = 0 } =
		moved(/^delivery/);
	// a frame each, at most one for each of the five commits
	expect([delays >= 1 && delays <= 5, delayed / delays < 1]).toEqual([true, true]);
	const drains = moved(/^drain_duration/);
	expect(drains.drain_duration_seconds_count).toBeGreaterThanOrEqual(delays);
	expect(drains.drain_duration_seconds_sum).toBeGreaterThan(0);
	expect(['ready', 'database_up', 'listener_up', 'writing_up'].map((up) => after.get(up))).toEqual([
		1, 1, 1, 1,
	]);
});

test('what ends a stream, and a database that goes away, can be seen', async () => {
	const { url } = await useDatabase();
	const app = await startApp(url, { METRICS_TOKEN });
	const reasons = [...(await readValues(app))].filter(([name]) => name.startsWith('stream_ended'));
	// present before the first of its kind
	expect(reasons.length).toBeGreaterThan(5);
	expect(reasons.filter(([, value]) => value !== 0)).toEqual([]);
	// while no client watches, the table is looked at twice a minute only
	const watching = followHttp(app.url);
	await watching.until(({ resets }) => resets() === 1);
	const name = new URL(url).pathname.slice(1);
	const admin = connect(inject('adminUrl'), { max: 1 });
	onTestFinished(() => admin.end({ timeout: 1 }));
	await admin`alter database ${admin(name)} allow_connections false`;
	await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
	await expect
		.poll(
			async () => {
				const values = await readValues(app);
				return [values.get('database_up'), values.get('ready')];
			},
			{ timeout: 60_000 },
		)
		.toEqual([0, 0]);
	expect((await send(app, { name: 'x' })).status).toBe(503);
	await expect
		.poll(async () => (await readValues(app)).get('writing_up'), { timeout: 60_000 })
		.toBe(0);
	expect((await readValues(app)).get('ingest_rejected_requests_total reason=unavailable')).toBe(1);
});

test('a client without the token reads nothing, also on a public dashboard', async () => {
	const { url } = await useDatabase();
	const app = await startApp(url, { METRICS_TOKEN, DASHBOARD_PUBLIC: 'true' });
	const asked = ['', 'Bearer another', `Basic ${METRICS_TOKEN}`, `Bearer ${METRICS_TOKEN} `];
	for (const authorization of asked.slice(0, 3)) {
		const answer = await scrape(app, authorization);
		expect([answer.status, await answer.text()]).toEqual([
			401,
			expect.not.stringContaining('nowboard_'),
		]);
	}
	expect((await fetch(`${app.url}/metrics?token=${METRICS_TOKEN}`)).status).toBe(401);
	const without = await startApp(url, { DASHBOARD_PUBLIC: 'true' });
	expect((await scrape(without)).status).toBe(401);
	expect((await scrape(without, 'Bearer ')).status).toBe(401);
});

test.each([
	['no line feed at the end', '# HELP a b\n# TYPE a gauge\na 1'],
	['no TYPE before samples', '# HELP a b\na 1\n# TYPE a gauge\n'],
	['a label that is not escaped', '# HELP a b\n# TYPE a gauge\na{x="y"z"} 1\n'],
	['no number', '# HELP a b\n# TYPE a gauge\na one\n'],
	['a series twice', '# HELP a b\n# TYPE a gauge\na 1\na 2\n'],
	['another program', '# HELP a b\n# TYPE a gauge\nb 1\n'],
	[
		'buckets that fall',
		'# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
	],
])('(control) the reader refuses %s', (_, text) => {
	expect(() => parseExposition(text)).toThrow();
});

test('(control) the linter finds what promtool would', () => {
	const text =
		'# HELP a_ms b\n# TYPE a_ms counter\na_ms 1\n# HELP b_total \n# TYPE b_total gauge\nb_total 1\n';
	expect(lintFamilies(parseExposition(text).values())).toHaveLength(4);
});
