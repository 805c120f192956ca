/** What is taken and what is refused, as a client sees it. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { connect } from '$lib/server/db/connect';
import { UnavailableError } from '$lib/server/db/errors';
import { createIngest, type Ingest } from '$lib/server/ingest/group-commit';
import { RefusedError } from '$lib/server/ingest/submission';
import {
	BOUND,
	GZIP,
	JSON_TYPE,
	LIMIT,
	QUIET,
	type Answer,
	useEndpoint,
} from '../../../../tests/setup/ingest-endpoint';

const { endpoint, post, makeKey, names } = useEndpoint();

test('one event, an array, and what sendBeacon sends are saved and counted', async () => {
	const eventId = 'a94a8fe5-ccb1-4ba6-9c4c-0873d391e987';
	const answers = [
		await post('{"name":"one","properties":{"a":[1,"ü"]}}'),
		await post(
			JSON.stringify([{ name: 'two', eventId }, { name: 'three' }, { name: 'two', eventId }]),
		),
		await post('{"name":"beacon"}', {
			'content-type': 'text/plain;charset=UTF-8',
			origin: 'https://shop.test',
		}),
		await post('\ufeff {"name":"mark"} ', { 'content-type': 'Application/JSON; charset="utf-8"' }),
	];
	expect(answers.map(({ status, body }) => [status, body])).toEqual([
		[202, { accepted: 1, duplicates: 0 }],
		[202, { accepted: 2, duplicates: 1 }],
		[202, { accepted: 1, duplicates: 0 }],
		[202, { accepted: 1, duplicates: 0 }],
	]);
	expect(await names()).toEqual(['one', 'two', 'three', 'beacon', 'mark']);
});

test('gzip is unpacked, by either of its names, from a page as well', async () => {
	const batch = Array.from({ length: 100 }, (_, n) => ({ name: `packed ${n}` }));
	expect(await post(gzipSync(JSON.stringify(batch)), GZIP)).toMatchObject({
		status: 202,
		body: { accepted: 100 },
	});
	const headers = { 'content-type': 'text/plain', 'content-encoding': 'X-GZIP' };
	expect((await post(gzipSync('{"name":"ü"}'), headers)).status).toBe(202);
	expect(await names()).toEqual([...batch.map(({ name }) => name), 'ü']);
});

test('a timestamp that was clamped is reported, and only then', async () => {
	const from = '2001-01-01T00:00:00Z';
	const { status, body } = await post(
		JSON.stringify([{ name: 'a' }, { name: 'b', timestamp: from }]),
	);
	const to = new Date(
		(await endpoint.database.sql`SELECT created_at FROM nowboard.events WHERE name = 'b'`)[0]
			?.created_at as Date,
	).toISOString();
	expect({ status, body }).toEqual({
		status: 202,
		body: { accepted: 2, duplicates: 0, clamped: [{ item: 1, from, to }] },
	});
});

test('one wrong item refuses the batch, named with its place', async () => {
	const { status, body } = await post('[{"name":"fine"},{"name":"","propertys":{}}]');
	expect({ status, body }).toEqual({
		status: 400,
		body: {
			error:
				'Nothing was saved: event 1: propertys is not a field of an event; these are: name, properties, eventId, sessionId, userId, source, timestamp, context (and 1 more).',
			details: [
				{
					item: 1,
					path: 'propertys',
					value: '{…}',
					rule: 'is not a field of an event; these are: name, properties, eventId, sessionId, userId, source, timestamp, context',
				},
				{ item: 1, path: 'name', value: '', rule: 'must have 1 to 120 characters' },
			],
		},
	});
	expect(await names()).toEqual([]);
});

describe('CORS', () => {
	test('a preflight allows JSON, gzip and a key from anywhere, without credentials, for a day', async () => {
		const { status, headers } = await post(
			undefined,
			{ origin: 'https://shop.test' },
			{ method: 'OPTIONS' },
		);
		expect(status).toBe(204);
		expect(headers).toMatchObject({
			'access-control-allow-origin': '*',
			'access-control-allow-methods': 'POST',
			'access-control-allow-headers': 'content-type, content-encoding, authorization',
			'access-control-max-age': '86400',
		});
		expect(headers).not.toHaveProperty('access-control-allow-credentials');
	});

	test('every answer can be read by the page that asked', async () => {
		const broken = (error: Error): Ingest => ({
			...endpoint.ingest,
			submit: () => Promise.reject(error),
		});
		const allowed: [number, unknown][] = [];
		const keep = ({ status, headers }: Answer) =>
			allowed.push([status, headers['access-control-allow-origin']]);
		keep(await post('{"name":"a"}'));
		keep(await post('{'));
		keep(await post('{"name":"a"}', {}));
		keep(await post('{"name":"a"}', JSON_TYPE, { query: `?key=${await makeKey(BOUND)}` }));
		endpoint.locals.ingestOpen = false;
		keep(await post('{"name":"a"}'));
		endpoint.locals = {
			...endpoint.locals,
			ingest: broken(new UnavailableError('Not now.')),
			ingestOpen: true,
		};
		keep(await post('{"name":"a"}'));
		endpoint.locals = { ...endpoint.locals, ingest: broken(new Error('a defect')) };
		keep(await post('{"name":"a"}'));
		expect(allowed).toEqual([202, 400, 415, 403, 401, 503, 500].map((status) => [status, '*']));
	});
});

test('every refusal is counted by its reason, and nothing else is', async () => {
	const { rejections } = endpoint.locals;
	const none = rejections.counts();
	expect(new Set(Object.values(none))).toEqual(new Set([0]));
	await post('{"name":"fine"}');
	expect(rejections.counts()).toEqual(none);

	const key = await makeKey(BOUND);
	const from = (origin: string) => ({ ...JSON_TYPE, authorization: `Bearer ${key}`, origin });
	await post('{"name":"a"}', { ...JSON_TYPE, authorization: 'Bearer x' });
	await post('{"name":"a"}', from('https://evil.example'));
	await post('{"name":"a","source":"x"}', from('https://shop.example'));
	await post('{"name":"a"}', {});
	await post('{');
	await post('x', GZIP);
	await post('x'.repeat(LIMIT + 1));
	await post(gzipSync(' '.repeat(LIMIT + 1)), GZIP);
	await post('{}');
	endpoint.locals.ingest = {
		...endpoint.ingest,
		submit: () => Promise.reject(new RefusedError('no')),
	};
	await post('{"name":"a"}');
	endpoint.locals.ingest = {
		...endpoint.ingest,
		submit: () => Promise.reject(new UnavailableError('no')),
	};
	await post('{"name":"a"}');
	endpoint.locals.ingestOpen = false;
	await post('{"name":"a"}');
	expect(rejections.counts()).toEqual({
		no_key: 1,
		wrong_key: 1,
		origin: 1,
		limited: 0,
		bot: 0,
		excluded_address: 0,
		excluded_host: 0,
		excluded_user: 0,
		source: 1,
		unsupported: 1,
		malformed: 2,
		late: 0,
		too_large: 2,
		invalid: 1,
		database_refused: 1,
		no_room: 0,
		unavailable: 1,
	});
});

test('what the database refuses is a 400 in its words; what it cannot take now is a 503 with Retry-After', async () => {
	const oversized = { text: 'x'.repeat(20_000) };
	/** past the validation, as a rule that only the table knows would be */
	const direct: Ingest = {
		...endpoint.ingest,
		submit: (events) =>
			endpoint.ingest.submit(events.map((event) => ({ ...event, properties: oversized }))),
	};
	endpoint.locals.ingest = direct;
	expect(await post('{"name":"a"}')).toMatchObject({
		status: 400,
		body: {
			details: [
				{
					path: 'events_properties_size',
					rule: expect.stringContaining('check constraint') as string,
				},
			],
		},
	});
	const full = createIngest({
		connect: () => connect(endpoint.database.url),
		log: QUIET,
		bounds: { heldRows: 1 },
	});
	endpoint.locals.ingest = full;
	expect(await post('[{"name":"a"},{"name":"b"}]')).toMatchObject({
		status: 503,
		headers: { 'retry-after': '2' },
		body: { error: '0 events are waiting to be saved: the queue is full.', details: [] },
	});
	await full.close();
});
