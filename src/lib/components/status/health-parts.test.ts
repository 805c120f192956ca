import { expect, test } from 'vitest';
import type { Health, Minute } from '../../health';
import { toHeadline, toHourLines, toParts } from './health-parts';

const minute: Minute = {
	at: '2026-03-14T09:26:00.000Z',
	state: 'fine',
	p50Ms: 6.2,
	p99Ms: 21,
	clients: 3,
	events: 40,
	rejected: 0,
	lateMs: 2,
};
const well: Health = {
	now: '2026-03-14T09:26:53.000Z',
	database: 'up',
	listener: 'up',
	reading: null,
	writing: null,
	state: 'fine',
	missing: [],
	version: '1.2.3',
	startedAt: '2026-03-14T08:00:00.000Z',
	readAgoMs: 812,
	readMs: 1.2,
	tickAgoMs: 1_400,
	clients: 3,
	ring: { frames: 1_024, bytes: 10, maxFrames: 2_048, maxBytes: 1_000 },
	heldEvents: 0,
	memoryBytes: 90 * 1024 * 1024,
	more: [],
	refused: [],
	robots: [],
	minutes: [minute],
};
const gone: Health = {
	...well,
	state: 'broken',
	database: 'down',
	listener: 'deaf',
	reading: 'full',
	writing: 'full',
	missing: ['database'],
};

test.each([
	['all is well', well, 'Everything works.'],
	[
		'deaf',
		{ ...well, listener: 'deaf', state: 'degraded' },
		'Everything works, some of it later than usual.',
	],
	['gone', gone, 'The disk of Postgres is full. Free some space.'],
	[
		'only writing',
		{ ...well, state: 'broken', writing: 'readonly' },
		'Postgres is read-only. Find out what made it so: default_transaction_read_only, or a provider whose disk is full.',
	],
	['starting', { ...well, state: 'starting', database: 'down' }, 'This process is starting.'],
	['ending', { ...well, missing: ['shutting down'] }, 'This process is shutting down.'],
	[
		'a part of its own',
		{
			...well,
			state: 'broken',
			more: [
				{ name: 'Retention', state: 'broken', words: 'Nothing was deleted for days.', figure: '' },
			],
		},
		'Nothing was deleted for days.',
	],
] as const)('in one sentence, %s', (_, health, sentence) => {
	expect(toHeadline(health as Health, null)).toBe(sentence);
});

test('a server that does not answer comes before everything it has said', () => {
	expect(toHeadline(gone, 'The server is not answering.')).toBe('The server is not answering.');
});

const states = (health: Health) => toParts(health).map(({ name, state }) => `${name} ${state}`);

test('each part says its own state and figure', () => {
	expect(toParts(well).map(({ state, figure }) => [state, figure])).toEqual([
		['fine', '1 ms a read'],
		['fine', ''],
		['fine', '6 ms behind'],
		['fine', ''],
		['fine', '1.4 s ago'],
		['fine', '3 pages'],
		['fine', '90 MB'],
	]);
	expect(toParts(well)[5]?.words).toContain(
		'1,024 frames are kept for pages that reconnect (50 % of the limit)',
	);
	expect(states({ ...well, listener: 'deaf' })).toContain('NOTIFY degraded');
	expect(states({ ...well, writing: 'locked' })).toContain('Writing broken');
	expect(states({ ...well, tickAgoMs: 200_000 })).toContain('Ticks degraded');
	expect(states({ ...well, minutes: [{ ...minute, lateMs: 900 }] })).toContain('Process degraded');
	expect(
		states({ ...well, more: [{ name: 'Retention', state: 'fine', words: '', figure: '' }] }),
	).toContain('Retention fine');
});

test('without its database nothing that needs it is called fine; at the start nothing is called broken', () => {
	const of = (health: Health) =>
		states(health)
			.slice(0, 5)
			.map((text) => text.split(' ')[1]);
	expect(new Set(of(gone))).toEqual(new Set(['broken']));
	const starting: Health = { ...gone, state: 'starting', reading: null, writing: null };
	expect(new Set(of(starting))).toEqual(new Set(['starting']));
});

test('the hour: sixty places, the newest last; what is not known is no bar, zero is one', () => {
	const at = (minutesAgo: number) =>
		new Date(Date.parse(minute.at) - minutesAgo * 60_000).toISOString();
	const lines = toHourLines(
		[
			{ ...minute, at: at(59), state: 'broken', p50Ms: null, p99Ms: null, events: 80, rejected: 5 },
			{ ...minute, at: at(2), events: 0 },
			minute,
		],
		(time) => new Date(time).toISOString().slice(11, 16),
	);
	const by = Object.fromEntries(lines.map((line) => [line.title, line]));
	expect(lines.map(({ bars }) => bars.length)).toEqual([60, 60, 60, 60, 60]);
	expect([by.Events?.now, by.Events?.most]).toEqual(['40', '80']);
	expect([0, 1, 57, 58, 59].map((i) => by.Events?.bars[i]?.height ?? null)).toEqual([
		1,
		null,
		0,
		null,
		0.5,
	]);
	expect(by.Events?.bars[59]?.title).toBe('09:26: 40');
	const delay = by['Delay (p99)'];
	expect([delay?.bars[0], delay?.bars[59]]).toEqual([
		null,
		{ height: 1, inner: 6.2 / 21, title: '09:26: 6 ms, 21 ms' },
	]);
	expect(by.State?.bars[0]).toEqual({ height: 1, title: '08:27: broken' });
	expect(
		toHourLines([], String).every(
			({ bars, now }) => now === '' && bars.every((bar) => bar === null),
		),
	).toBe(true);
});
