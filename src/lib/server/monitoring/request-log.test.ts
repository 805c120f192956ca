import pino from 'pino';
import { expect, test } from 'vitest';
import { createRequestLog, toLoggedPath, toRequestId } from './request-log';

const path = (routeId: string | null, address: string) =>
	toLoggedPath({ routeId, url: new URL(address, 'http://localhost') });

test.each(['0190-abc', 'Root=1-67891233-abcdef012345678912345678', 'a'.repeat(100), 'req_1:2/3+4'])(
	'an id that is one is taken: %s',
	(id) => expect(toRequestId(id)).toBe(id),
);
test.each([null, '', 'two words', 'a\nforged="line"', '"quoted"', '<b>', 'a'.repeat(101), 'ä'])(
	'of anything else a new one is made: %s',
	(given) => expect(toRequestId(given)).toMatch(/^[0-9a-f-]{36}$/),
);

test('of an address only what is harmless is written', () => {
	const key = `nb_pub_${'x'.repeat(43)}`;
	expect([
		path('/', '/?source=shop'),
		path(
			'/api/dashboard/stream',
			`/api/dashboard/stream?token=${key}&events=activity&cursor=a-1.2`,
		),
		path('/api/events', `/api/events?key=${key}`),
		path('/s/[token]', `/s/${key}?to=/kiosk`),
		path('/login', `/login?to=${encodeURIComponent(`/?token=${key}`)}`),
		path(null, `/api/events/${key}`),
		path(null, `/${'a/'.repeat(100)}`),
		path('/', `/?${key}=1`),
		path('/', `/?source=${'s'.repeat(500)}`),
	]).toEqual([
		'/?source=shop',
		'/api/dashboard/stream?token=…&events=activity&cursor=a-1.2',
		'/api/events?key=…',
		'/s/[token]?to=…',
		'/login?to=…',
		'/api/events/…',
		`/${'a/'.repeat(100).slice(0, 63)}…`,
		`/?${key.slice(0, 24)}…=…`,
		`/?source=${'s'.repeat(64)}…`,
	]);
});

test.each([
	['debug', false, 'info', 0],
	['debug', false, 'debug', 2],
	['all', true, 'info', 2],
	['all', true, 'warn', 0],
] as const)('LOG_REQUESTS=%s writes at %s and %s: %i lines', (_, all, level, lines) => {
	const written: string[] = [];
	const log = pino({ level }, { write: (line: string) => void written.push(line) });
	const requests = createRequestLog(log, { all });
	const url = new URL('http://localhost/');
	requests.answered({ requestId: 'r', method: 'GET', routeId: '/', url }, 200, performance.now());
	requests.streamed('r')('client_left');
	expect(written).toHaveLength(lines);
});
