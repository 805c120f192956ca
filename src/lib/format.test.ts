import { expect, test } from 'vitest';
import {
	DEFAULT_LOOK,
	MAX_TEXT_LENGTH,
	toChange,
	toCompact,
	toCount,
	toDuration,
	toExactTime,
	toMoment,
	toPairs,
	toSecondsLeft,
	toTime,
	toFirstLook,
	toViewerLook,
	toWhen,
} from './format';

const GERMAN = { locale: 'de-DE', timeZone: 'Europe/Berlin' };
const NOW = Date.UTC(2026, 10, 23, 14, 5, 9, 123);

test('counts are grouped by the locale, and compact from ten thousand on', () => {
	expect([toCount(0), toCount(12_345), toCount(12_345, GERMAN)]).toEqual(['0', '12,345', '12.345']);
	expect([999, 9_999, 12_345, 1_500_000].map((value) => toCompact(value).toUpperCase())).toEqual([
		'999',
		'9,999',
		'12.3K',
		'1.5M',
	]);
});

test('times are relative up to an hour, then absolute', () => {
	const ages = [
		-5_000,
		0,
		999,
		1_000,
		59_999,
		60_000,
		3_599_999,
		3_600_000,
		86_400_000,
		400 * 86_400_000,
	];
	expect(ages.map((age) => toWhen(NOW - age, NOW))).toEqual([
		'now',
		'now',
		'now',
		'1 s ago',
		'59 s ago',
		'1 min ago',
		'59 min ago',
		'13:05',
		'22 Nov, 14:05',
		'19 Oct 2025, 14:05',
	]);
});

test('an absolute time is the one on the wall of the viewer', () => {
	expect(toTime(NOW, GERMAN)).toBe('15:05');
	// 23:30 in London is tomorrow in Berlin
	const late = Date.UTC(2026, 10, 23, 23, 30);
	expect(toWhen(late, late + 2 * 3_600_000, GERMAN)).toBe('00:30');
	expect(toWhen(late, late + 2 * 3_600_000)).toBe('23 Nov, 23:30');
});

test('the exact time names milliseconds and zone', () => {
	expect(toMoment(NOW)).toBe('23 Nov 2026, 14:05');
	expect(toExactTime(NOW)).toBe('23 Nov 2026, 14:05:09.123 UTC');
	expect(toTime(NOW, DEFAULT_LOOK, true)).toBe('14:05:09');
});

test('a viewer has a locale and a zone that can be used', () => {
	expect(toWhen(NOW - 86_400_000, NOW, toViewerLook())).not.toBe('');
});

test('durations keep two figures or so, and never round to a thousand milliseconds', () => {
	const values = [
		-3, 0.4, 14.4, 999.4, 999.6, 1_249, 9_949, 9_950, 59_499, 59_500, 3_569_000, 3_599_000,
		7_500_000,
	];
	expect(values.map((ms) => toDuration(ms))).toEqual([
		'0 ms',
		'0 ms',
		'14 ms',
		'999 ms',
		'1.0 s',
		'1.2 s',
		'9.9 s',
		'10 s',
		'59 s',
		'1 min',
		'59 min',
		'1 h',
		'2 h 5 min',
	]);
});

test('a countdown ends at zero and does not go on', () => {
	expect([4_000, 3_001, 1, 0, -9].map((left) => toSecondsLeft(NOW + left, NOW))).toEqual([
		4, 4, 1, 0, 0,
	]);
});

test('a change is signed, and absent where there is nothing to compare with', () => {
	const pairs: [number, number | null | undefined][] = [
		[112, 100],
		[97, 100],
		[1_000, 1_001],
		[0, 7],
		[1_300, 100],
		[5, 0],
		[5, null],
		[5, undefined],
	];
	expect(pairs.map(([current, previous]) => toChange(current, previous))).toEqual([
		'+12 %',
		'−3 %',
		'±0 %',
		'−100 %',
		'+1,200 %',
		null,
		null,
		null,
	]);
});

test('properties become texts of one line, cut between characters', () => {
	const pairs = toPairs({
		path: '/pricing',
		price: 12.5,
		paid: true,
		coupon: null,
		cart: { items: [1, 2] },
		note: 'two\r\nlines',
		blank: ' '.repeat(200) + 'end',
		long: '👩'.repeat(1_000),
	});
	expect(pairs.map(({ key, text }) => `${key}=${text}`)).toEqual([
		'path=/pricing',
		'price=12.5',
		'paid=true',
		'coupon=null',
		'cart={"items":[1,2]}',
		'note=two lines',
		'blank= end',
		`long=${'👩'.repeat(MAX_TEXT_LENGTH)}`,
	]);
});

test('a long text is never cut inside an encoded character', () => {
	for (let length = 0; length < 12; length++) {
		const path = `/${'a'.repeat(MAX_TEXT_LENGTH - length)}${encodeURIComponent('あ😀'.repeat(9))}`;
		const [{ text = '' } = {}] = toPairs({ path });
		expect(path.startsWith(text)).toBe(true);
		expect(text.length).toBeGreaterThan(MAX_TEXT_LENGTH - 12);
		expect(() => decodeURIComponent(text)).not.toThrow();
	}
});

test('all numbers of durations and ages are in the digits of the locale', () => {
	const look = { locale: 'ar-EG', timeZone: 'UTC' };
	const texts = [toDuration(14, look), toDuration(1_234, look), toDuration(7_500_000, look)];
	expect(texts).toEqual(['١٤ ms', '١٫٢ s', '٢ h ٥ min']);
	expect(toWhen(NOW - 12_000, NOW, look)).toBe('١٢ s ago');
});

test('a right-to-left date is isolated from the English words around it', () => {
	const look = { locale: 'ar-EG', timeZone: 'UTC' };
	expect(toMoment(NOW, look)).toMatch(/^\u2068[^\u2069]+\u2069, /);
	expect(toMoment(NOW, GERMAN)).not.toMatch(/[\u2068\u2069]/);
});

test.each([
	['de-AT,de;q=0.9', 'de-AT'],
	['ar-EG', 'ar-EG'],
	['zh-Hans-CN', 'zh-CN'],
	['en-US-u-nu-arab', 'en-US'],
	['fr', 'fr'],
	['*', 'en-GB'],
	['', 'en-GB'],
	['xx-not a language', 'en-GB'],
	[null, 'en-GB'],
	[undefined, 'en-GB'],
])(
	'the first page for Accept-Language %o is written in %s, its times in UTC',
	(accepted, locale) => {
		expect(toFirstLook(accepted)).toEqual({ locale, timeZone: 'UTC' });
	},
);

test('a look that is the viewer’s own stays the same object', () => {
	const own = toViewerLook();
	expect(toViewerLook(own)).toBe(own);
	expect(toViewerLook({ ...own, timeZone: 'Pacific/Chatham' })).toEqual(own);
});
