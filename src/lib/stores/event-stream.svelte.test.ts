import { expect, test, vi } from 'vitest';
import type { Bye } from '../protocol';
import { createEventStream, type StreamState } from './event-stream';
import type { Parse } from './check';
import { PARSERS } from './parse';

const parse: Parse<string> = (data) => ({ ok: true, value: String(data) });
const toBody = (text: string, id: string) =>
	URL.createObjectURL(
		new Blob([`event: word\nid: ${id}\ndata: "${text}"\n\n`], { type: 'text/event-stream' }),
	);

test('in a browser it reads native events, and comes back by itself after a body that ended', async () => {
	const words: string[] = [];
	const cursors: (string | null)[] = [];
	const states: StreamState[] = [];
	const stream = createEventStream<{ word: string; bye: Bye }>(
		(cursor) => {
			cursors.push(cursor);
			return toBody(`after ${cursor}`, `e-${cursors.length}`);
		},
		{
			parsers: { word: parse, bye: PARSERS.bye },
			onEvent: (...[name, payload]) => {
				if (name === 'word') words.push(payload);
			},
		},
	);
	expect(cursors).toEqual([]);
	const leave = stream.subscribe((state) => states.push(state));
	await vi.waitFor(() => expect(words).toEqual(['after null', 'after e-1']), { timeout: 60_000 });
	leave();
	expect(cursors).toEqual([null, 'e-1']);
	expect(states.map(({ status }) => status)).toContain('waiting');
});
