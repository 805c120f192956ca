import fc, { casesOf } from '../setup/fast-check';
import { describe, expect, test } from 'vitest';
import { toBytes, type Message } from '../../src/lib/server/stream/sse';
import { PARSERS } from './parsers';
import { assertRoundTrip, cases, MESSAGES_PER_STREAM, type Encode } from './round-trip';

/** The long run is `npm run test:wire`. */
const MESSAGES = casesOf({ short: 4_000, long: 10_000 });
const encoder = new TextEncoder();
const toText = ({ event, id }: Message, data: string) =>
	encoder.encode(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}${data}\n`);

/** Splits data as most encoders do. */
const lfOnly: Encode = (message) => {
	toBytes(message);
	return toText(
		message,
		message.data
			.split('\n')
			.map((line) => `data: ${line}\n`)
			.join(''),
	);
};
/** Believes names and ids. */
const trusting: Encode = (message) =>
	toText(
		message,
		message.data
			.split(/\r\n|\r|\n/)
			.map((line) => `data: ${line}\n`)
			.join(''),
	);

describe.each(Object.entries(PARSERS))('read by %s', (_, parse) => {
	const roundTrip = (encode?: Encode) =>
		fc.asyncProperty(cases, (one) => assertRoundTrip(one, parse, encode));

	test('every message comes back as it was, wherever the bytes are cut, or is refused', async () => {
		await fc.assert(roundTrip(), { numRuns: MESSAGES / MESSAGES_PER_STREAM });
	});

	test.each([
		['splits data on LF alone', lfOnly],
		['does not look at names and ids', trusting],
	])('the negative control: an encoder that %s is caught', async (_, encode) => {
		const { errorInstance } = await fc.check(roundTrip(encode), { numRuns: 50 });
		expect(String(errorInstance)).toMatch(/^Error: Sent .*, received/);
	});
});
