// that every message comes back as it was: tests/wire/
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
