import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { toZone } from './time-zone';

test('a zone is what Intl knows by a name, in whatever case', () => {
	const names = ['UTC', 'Europe/Berlin', 'Etc/GMT+3', 'Etc/GMT-1', 'America/Argentina/Ushuaia'];
	expect(names.map(toZone)).toEqual(names);
	expect(['utc', 'europe/BERLIN', 'ETC/gmt+3', 'aMERICA/Port-AU-prince'].map(toZone)).toEqual([
		'UTC',
		'Europe/Berlin',
		'Etc/GMT+3',
		'America/Port-au-Prince',
	]);
	for (const name of Intl.supportedValuesOf('timeZone')) expect(toZone(name)).toBe(name);
});

test('another name of a zone stays that name: a Postgres may know one of the two', () => {
	for (const name of ['Asia/Kolkata', 'Asia/Calcutta', 'US/Pacific', 'EST5EDT']) {
		const zone = toZone(name);
		expect(zone?.toLowerCase()).toBe(name.toLowerCase());
		expect(toZone(name.toUpperCase())).toBe(zone);
	}
	expect(toZone('ASIA/CALCUTTA')).not.toBe(toZone('Asia/Kolkata'));
});

test.each([
	'',
	' ',
	'Mars',
	'Mars/Olympus',
	'AAAA1',
	'EST5',
	'<x>-3:07',
	'UTC+3',
	'GMT+1',
	'GMT-01:30',
])('%j is none', (text) => expect(toZone(text)).toBeNull());
test.each([
	'+01:00',
	'-0530',
	'+01',
	'Etc/GMT+03',
	'localtime',
	'posix/UTC',
	'a\0',
	'x'.repeat(16_000),
])('nor is %j', (text) => expect(toZone(text)).toBeNull());

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** There is no end of them. */
const posix = Array.from({ length: 5_000 }, (_, i) => {
	const tail = [1, 26, 676].map((unit) => LETTERS[Math.floor(i / unit) % 26]).join('');
	return `Q${tail}${1 + (i % 12)}`;
});

test('no POSIX zone passes', () => {
	expect(posix.filter((text) => toZone(text) !== null)).toEqual([]);
});

test('(control) Postgres takes POSIX zones, and keeps 10 KB of each', async () => {
	const { sql } = await useDatabase();
	const measure = () =>
		sql.begin(async (tx) => {
			const bytes = async () =>
				Number(
					(
						await tx`select sum(total_bytes)::int8 as bytes from pg_backend_memory_contexts where name = 'Timezones'`
					)[0]?.bytes,
				);
			const before = await bytes();
			for (const zone of posix.slice(0, 500)) await tx`select now() at time zone ${zone}`;
			return (await bytes()) - before;
		});
	expect((await measure()) / 500).toBeGreaterThan(10_000);
});
