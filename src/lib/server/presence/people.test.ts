import { describe, expect, test } from 'vitest';
import { parseFilter, type Condition } from '../../filter';
import { LOST_MS } from '../../presence';
import { createPeople } from './people';
import type { PresenceRow } from './presence-row';

const NOW = 1_000_000_000;

function by(...texts: string[]): Condition {
	const parsed = parseFilter(texts);
	if (!parsed.ok) throw new Error(parsed.error);
	return { filter: parsed.filter };
}
const row = (id: number, change: Partial<PresenceRow> = {}): PresenceRow => ({
	id: `${id}`,
	source: 'web',
	sessionId: `session ${id}`,
	path: '/',
	origin: null,
	context: null,
	visible: true,
	heardAt: NOW,
	inputAt: NOW,
	leftAt: null,
	...change,
});
const reading = (at: number, rows: PresenceRow[], heard: string[] = [], idle: number[] = []) => ({
	at,
	rows,
	beats: heard.length > 0 ? [{ id: `${at}`, at, heard, idle }] : [],
});

const NO_ROWS = { rows: [], other: 0 };

describe('who is here', () => {
	test('is unknown before the first reading, and under a filter that only events can answer', () => {
		const people = createPeople();
		expect(people.of(by())).toBe('unknown');
		people.read(reading(NOW, []));
		expect([people.of(by()), people.of(by('name:signup')), people.of(by('props.a:b'))]).toEqual([
			{ active: 0, idle: 0, pages: NO_ROWS, referrers: NO_ROWS },
			'unknown',
			'unknown',
		]);
	});

	test('is listed under the filter: active ones first, and how many more there are', () => {
		const people = createPeople();
		const listed = (limit: number, ...texts: string[]) => {
			const list = people.list(by(...texts), limit);
			return (
				list && [...list.people.map(({ sessionId, state }) => `${sessionId} ${state}`), list.more]
			);
		};
		expect(listed(9)).toBe(null);
		const german = { context: { country: 'DE' } };
		const rows = [
			row(1, { ...german, inputAt: null }),
			row(2, german),
			row(3),
			row(4, { leftAt: NOW - 9_000 }),
		];
		people.read(reading(NOW, rows));
		expect([listed(9), listed(2), listed(9, 'country:DE'), listed(9, 'user:a')]).toEqual([
			['session 2 active', 'session 3 active', 'session 1 idle', 0],
			['session 2 active', 'session 3 active', 1],
			['session 2 active', 'session 1 idle', 0],
			null,
		]);
	});

	test('is counted by filter and page, and kept up as sessions move, rest and leave', () => {
		const people = createPeople();
		const views = [by(), by('country:DE'), by('referrer:search.example'), by('channel:mail')];
		const all = () =>
			views.map((view) => {
				const found = people.of(view);
				if (found === 'unknown') return found;
				return [found.active, found.idle, ...found.pages.rows.map((one) => Object.values(one))];
			});
		const german = { context: { country: 'DE' } };
		people.read(
			reading(NOW, [
				row(1, german),
				row(2, { origin: { referrer: 'search.example', channel: 'mail' }, path: '/a' }),
				row(3, { visible: false, path: null }),
			]),
		);
		const before = people.of(by());
		expect(all()).toEqual([
			[2, 1, ['', 1], ['/', 1], ['/a', 1]],
			[1, 0, ['/', 1]],
			[1, 0, ['/a', 1]],
			[1, 0, ['/a', 1]],
		]);
		people.read(reading(NOW + 1_000, []));
		expect(people.of(by()), 'the same object while nothing changes').toBe(before);

		// heartbeats: the first with new input, the second without
		people.read(reading(NOW + 32_000, [], ['1', '2'], [0, 32_000]));
		expect(all()).toEqual([
			[1, 2, ['', 1], ['/', 1], ['/a', 1]],
			[1, 0, ['/', 1]],
			[0, 1, ['/a', 1]],
			[0, 1, ['/a', 1]],
		]);
		// the third is lost, the first moves, the second leaves
		const at = NOW + 36_000;
		people.read(
			reading(at, [row(1, { ...german, heardAt: at, path: '/a' }), row(2, { leftAt: at - 3_000 })]),
		);
		expect(all()).toEqual([
			[1, 0, ['/a', 1]],
			[1, 0, ['/a', 1]],
			[0, 0],
			[0, 0],
		]);
	});

	test('an event makes active, whether it or the session is known first', () => {
		const people = createPeople();
		const idle = { inputAt: null };
		people.saw({ source: 'web', sessionId: 'session 1', createdAt: NOW });
		people.saw({ source: 'other', sessionId: 'session 3', createdAt: NOW });
		people.read(reading(NOW, [row(1, idle), row(2, idle), row(3, idle)]));
		expect(people.of(by())).toMatchObject({ active: 1, idle: 2 });
		people.saw({ source: 'web', sessionId: 'session 2', createdAt: NOW });
		people.read(reading(NOW + 1_000, []));
		expect(people.of(by())).toMatchObject({ active: 2, idle: 1 });
	});

	test('a heartbeat of an unknown session asks for everything; one that was lost comes back by it', () => {
		const people = createPeople();
		expect(people.read(reading(NOW, [row(1)], ['2'], [0]))).toBe(false);
		people.read(reading(NOW + LOST_MS, []));
		expect(people.of(by())).toMatchObject({ active: 0, idle: 0 });
		expect(people.read(reading(NOW + LOST_MS + 5_000, [], ['1'], [0]))).toBe(true);
		expect(people.of(by())).toMatchObject({ active: 1, idle: 0 });
	});

	test('rows beyond the longest table are counted as others, and ties stand in the order of their paths', () => {
		const people = createPeople();
		const paths = ['/j', ...'ihgfedcba'].map((letter) => `/${letter.replace('/', '')}`);
		people.read(
			reading(
				NOW,
				[...paths, '/c'].map((path, id) => row(id, { path })),
			),
		);
		expect(people.of(by())).toMatchObject({
			pages: {
				rows: ['/c', '/a', '/b', '/d', '/e', '/f', '/g', '/h'].map((key, index) => ({
					key,
					count: index === 0 ? 2 : 1,
				})),
				other: 2,
			},
		});
	});
});
