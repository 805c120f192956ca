import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { readAddress } from './http/client-address';
import { ownText } from './copy-string';
import { toWindowRow } from './live/window-row';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const TIMES = 1_000;
const LONG = 8_000;
const CUT = 120;
/** A text that is made at run time, as one that was received. */
const receive = (i: number) => JSON.parse(JSON.stringify(`${i}`.padEnd(LONG, '/path'))) as string;

/** Bytes that the process keeps for each of what `take` makes of a long text. */
function keptFor(take: (long: string, i: number) => unknown): number {
	const kept: unknown[] = [];
	collectGarbage();
	const before = process.memoryUsage().heapUsed;
	for (let i = 0; i < TIMES; i++) kept.push(take(receive(i), i));
	collectGarbage();
	const bytes = (process.memoryUsage().heapUsed - before) / TIMES;
	expect(kept).toHaveLength(TIMES);
	return bytes;
}

describe('what is kept of a long text', () => {
	const row = (path: string) =>
		toWindowRow({
			...{ name: 'page_view', source: 'shop', sessionId: null, createdAt: 0 },
			properties: { path, referrer: path },
		});
	test.each<[string, (long: string) => unknown]>([
		['a text of its own', (long) => ownText(long.slice(0, CUT))],
		['a row of the windows', row],
		[
			'an address in a long header',
			(long) => readAddress(() => `${long}, 203.0.113.27`.slice(-14)),
		],
	])('%s keeps nothing of what it was cut from', (_, take) => {
		expect(keptFor(take)).toBeLessThan(LONG / 4);
	});

	test('(control) a text that was cut out keeps all of it', () => {
		expect(keptFor((long) => long.slice(0, CUT))).toBeGreaterThan(LONG);
	});
});

describe('what is kept of a long address', () => {
	/** Written out, a character of another script has nine; and a host of 13 or more keeps all that it was cut from. */
	const toAddress = (i: number) =>
		JSON.parse(
			JSON.stringify(`http://a${String(i).padStart(12, '0')}.com/${'你'.repeat(90)}`),
		) as string;
	const referrer = (address: string) =>
		toWindowRow({
			...{ name: 'page_view', source: 'shop', sessionId: null, createdAt: 0 },
			properties: { referrer: address },
		}).referrer;

	test('its host keeps nothing of the rest', () => {
		expect(referrer(toAddress(1))).toBe('a000000000001.com');
		expect(keptFor((_, i) => referrer(toAddress(i)))).toBeLessThan(200);
	});

	test('(control) as Node gives it, it keeps all of it', () => {
		expect(keptFor((_, i) => new URL(toAddress(i)).hostname)).toBeGreaterThan(800);
	});
});

test('it is the same text', () => {
	for (const text of ['', 'a', 'ä€😀', '\0\n', 'x'.repeat(10_000)])
		expect(ownText(text)).toBe(text);
});
