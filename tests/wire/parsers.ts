/**
 * Two parsers of event streams that share no code, brought to one form: bytes in, what a page would have received out.
 * Neither is ours: what the encoder writes and what the tables expect is judged by others.
 */
import { createRequire } from 'node:module';
import type { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createParser } from 'eventsource-parser';

export type Received = {
	/** `message` when the stream named none */
	event: string;
	data: string;
	/** the position after it, as `MessageEvent.lastEventId` */
	id: string;
};
export type Heard = {
	events: Received[];
	/** the reconnection time that the stream asked for; null: the client's own */
	retryMs: number | null;
};
/** @param chunks the stream as it arrived, cut anywhere, also inside a character */
export type ParseStream = (chunks: Uint8Array[]) => Promise<Heard>;

type UndiciState = { reconnectionTime?: number; lastEventId?: string };
type UndiciEvent = { type: string; options: { data: string; lastEventId?: string } };
// undici exports its EventSource, not the parser inside
const { EventSourceStream } = createRequire(import.meta.url)(
	'undici/lib/web/eventsource/eventsource-stream.js',
) as { EventSourceStream: new (options: { eventSourceSettings: UndiciState }) => Transform };

export const PARSERS: { [name: string]: ParseStream } = {
	async 'eventsource-parser'(chunks) {
		const events: Received[] = [];
		let retryMs: number | null = null;
		let last = '';
		const parser = createParser({
			onEvent({ event, id, data }) {
				last = id ?? last;
				events.push({ event: event ?? 'message', data, id: last });
			},
			onRetry: (ms) => (retryMs = ms),
		});
		// it takes text: the decoder strips the byte order mark, as "UTF-8 decode" does
		const decoder = new TextDecoder();
		for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
		return { events, retryMs };
	},
	async undici(chunks) {
		const events: Received[] = [];
		const state: UndiciState = {};
		const stream = new EventSourceStream({ eventSourceSettings: state });
		stream.on('data', ({ type, options }: UndiciEvent) =>
			events.push({ event: type, data: options.data, id: options.lastEventId ?? '' }),
		);
		for (const chunk of chunks) stream.write(chunk);
		stream.end();
		await finished(stream);
		return { events, retryMs: state.reconnectionTime ?? null };
	},
};
