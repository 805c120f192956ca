/**
 * The property that the encoder stands on: `parse(encode(x))` is x, whatever x is and wherever the bytes are cut, or x is
 * refused. Generated streams of many messages, made to hold what forges fields. For any encoder, so that naive ones can be caught.
 */
import fc from '../setup/fast-check';
import { isDeepStrictEqual } from 'node:util';
import { toBytes, toComment, toOpening, type Message } from '../../src/lib/server/stream/sse';
import type { ParseStream, Received } from './parsers';

export type Encode = (message: Message) => Uint8Array;
export type Part = { comment: string } | { message: Message };
export type Case = {
	parts: Part[];
	/** where the bytes are cut: fractions of the length, in any order */
	cuts: number[];
};

/** Messages in a generated stream, at least on average (the rest are comments). */
export const MESSAGES_PER_STREAM = 20;

const UNITS = ['\n', '\r', '\r\n', ' ', ':', '\t', '\0', '\ufeff', '\ud800', 'é', '😀', '\u2028'];
const FIELDS = ['data', 'id', 'event', 'retry', ': ', 'data: forged\n\n', '\revent: forged\r'];
const text = fc.oneof(
	fc.string({ unit: fc.constantFrom(...UNITS, ...FIELDS, 'x', '1'), maxLength: 12 }),
	fc.string({ unit: 'binary', maxLength: 20 }),
	fc.json({ maxDepth: 2 }),
);
const word = fc.string({
	unit: fc.constantFrom(' ', ':', '\t', 'é', '😀', 'a', 'id'),
	minLength: 1,
});
/** now and then what may not be in a name */
const name = fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: text });
const message = fc.record({ event: name, data: text, id: fc.option(name, { nil: undefined }) });
const part: fc.Arbitrary<Part> = fc.oneof(
	{ weight: 9, arbitrary: fc.record({ message }) },
	{ weight: 1, arbitrary: fc.record({ comment: text }) },
);

export const cases: fc.Arbitrary<Case> = fc.record({
	parts: fc.array(part, {
		minLength: MESSAGES_PER_STREAM + 2,
		maxLength: MESSAGES_PER_STREAM + 6,
		size: 'max',
	}),
	cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12, size: 'max' }),
});

/** What UTF-8 and lines can carry of a text: a lone surrogate becomes U+FFFD, every line end LF. */
export const toCarried = (text: string): string => text.toWellFormed().replace(/\r\n?/g, '\n');

/** The bytes of a stream as a client gets them, and what it must have received; what is refused is left out of both. */
export function toStream({ parts, cuts }: Case, encode: Encode) {
	const pieces = [toOpening(1_000, 'hello')];
	const expected: Received[] = [];
	let refused = 0;
	let id = '';
	for (const part of parts) {
		if ('comment' in part) {
			pieces.push(toComment(part.comment));
			continue;
		}
		const { message } = part;
		try {
			pieces.push(encode(message));
		} catch {
			refused++;
			continue;
		}
		id = message.id === undefined ? id : message.id.toWellFormed();
		expected.push({ event: message.event.toWellFormed(), data: toCarried(message.data), id });
	}
	const bytes = Buffer.concat(pieces);
	const at = cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b);
	const chunks = [0, ...at].map((from, i) => bytes.subarray(from, at[i]));
	return { chunks, expected, refused };
}

/** Whether a message may be refused, said once more and in other words than the encoder's. */
function isRefusable({ event, id }: Message): boolean {
	return [event, id ?? 'none'].some(
		(field) => field === '' || [...field].some((character) => '\r\n\0'.includes(character)),
	);
}

/** @throws with what differs */
export async function assertRoundTrip(one: Case, parse: ParseStream, encode: Encode = toBytes) {
	const { chunks, expected, refused } = toStream(one, encode);
	const messages = one.parts.flatMap((part) => ('message' in part ? [part.message] : []));
	if (refused > messages.filter(isRefusable).length)
		throw new Error('A message was refused that could be sent.');
	const { events } = await parse(chunks);
	if (!isDeepStrictEqual(events, expected))
		throw new Error(`Sent ${JSON.stringify(expected)}, received ${JSON.stringify(events)}.`);
}
