import { createRequire } from 'node:module';
import type { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toBytes, toComment, toOpening } from './sse';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('an event, byte for byte', () => {
	test.each([
		[{ event: 'a', data: '{}' }, 'event: a\ndata: {}\n\n'],
		[{ event: 'a', data: '', id: 'x-1' }, 'event: a\nid: x-1\ndata: \n\n'],
		[{ event: 'a', data: '1\n2' }, 'event: a\ndata: 1\ndata: 2\n\n'],
		[{ event: 'a', data: '1\r2\r\n3' }, 'event: a\ndata: 1\ndata: 2\ndata: 3\n\n'],
		[{ event: 'a', data: '\n' }, 'event: a\ndata: \ndata: \n\n'],
		[{ event: 'a', data: ' blank' }, 'event: a\ndata:  blank\n\n'],
		[{ event: 'a', data: 'x\ud800' }, 'event: a\ndata: x\ufffd\n\n'],
		[{ event: 'a', data: '\ufeff:é' }, 'event: a\ndata: \ufeff:é\n\n'],
	])('%j', (message, wire) => {
		// TextDecoder would swallow a leading BOM only; here it never leads
		expect(text(toBytes(message))).toBe(wire);
	});

	test('the opening carries an integer delay and a comment', () => {
		expect(text(toOpening(1500.4, 'hello'))).toBe('retry: 1500\n: hello\n\n');
	});
	test('a comment cannot break out of itself', () => {
		expect(text(toComment('a\rdata: b'))).toBe(': a\n: data: b\n\n');
	});
});

test.each([
	[{ event: '', data: '' }, 'event ""'],
	[{ event: 'a\nb', data: '' }, 'event "a\\nb"'],
	[{ event: 'a\rb', data: '' }, 'event "a\\rb"'],
	[{ event: 'a', data: '', id: '' }, 'id ""'],
	[{ event: 'a', data: '', id: '1\n' }, 'id "1\\n"'],
	[{ event: 'a', data: '', id: '1\0' }, 'id "1\\u0000"'],
])('%j is refused by name', (message, named) => {
	expect(() => toBytes(message)).toThrow(named);
});

// undici exports its EventSource, not the parser inside
const { EventSourceStream } = createRequire(import.meta.url)(
	'undici/lib/web/eventsource/eventsource-stream.js',
) as { EventSourceStream: new (options: object) => Transform };

/** Two parsers that share no code. */
const parsers = {
	'eventsource-parser': async (wire: Uint8Array) => {
		const events: unknown[] = [];
		const parser = createParser({
			onEvent: ({ event, id, data }) => events.push({ event, id, data }),
		});
		parser.feed(text(wire));
		return events;
	},
	undici: async (wire: Uint8Array) => {
		const events: unknown[] = [];
		const stream = new EventSourceStream({ eventSourceSettings: {}, readableObjectMode: true });
		stream.on('data', ({ type, options }) =>
			events.push({ event: type, id: options.lastEventId || undefined, data: options.data }),
		);
		stream.end(wire);
		await finished(stream);
		return events;
	},
};

describe.each(Object.entries(parsers))('read by %s', (_, parse) => {
	const name = fc.stringMatching(/^[^\r\n\0]+$/).filter((name) => !/^[ ]/.test(name));
	const line = fc.oneof(
		fc.string({ unit: 'binary' }),
		fc.string({ unit: fc.constantFrom('\n', '\r', ' ', ':', 'data', '\0', '\ufeff', 'é', '😀') }),
	);
	/** what UTF-8 and lines can carry of a text */
	const carried = (data: string) =>
		new TextDecoder('utf-8', { ignoreBOM: true })
			.decode(new TextEncoder().encode(data))
			.replace(/\r\n?/g, '\n');

	test('every event comes back as it was', async () => {
		await fc.assert(
			fc.asyncProperty(
				name,
				line,
				fc.option(fc.stringMatching(/^[0-9a-z.-]{1,40}$/)),
				async (event, data, id) => {
					const message = { event: carried(event), data, id: id ?? undefined };
					expect(await parse(toBytes(message))).toEqual([{ ...message, data: carried(data) }]);
				},
			),
			{ numRuns: 2_000 },
		);
	});

	test('comments and the opening are no events', async () => {
		expect(await parse(toOpening(1000, 'a\ndata: b\n\n'))).toEqual([]);
	});

	test('control: split on LF alone, a bare CR forges a field', async () => {
		const naive = (event: string, data: string) =>
			new TextEncoder().encode(
				`event: ${event}\n${data
					.split('\n')
					.map((line) => `data: ${line}\n`)
					.join('')}\n`,
			);
		expect(await parse(naive('a', 'x\revent: forged'))).not.toEqual([
			{ event: 'a', id: undefined, data: 'x\revent: forged' },
		]);
		expect(await parse(toBytes({ event: 'a', data: 'x\revent: forged' }))).toEqual([
			{ event: 'a', id: undefined, data: 'x\nevent: forged' },
		]);
	});
});
