import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { EventSource } from 'undici';
import type { Bye } from '../protocol';
import { MAX_DELAY_MS } from './backoff';
import { after, type Environment, type Source } from './environment';
import { createEventStream, type EventStream, type StreamState } from './event-stream';
import { PARSERS, type Parse } from './parse';

/** Waits between attempts are a fiftieth of the real ones: what is tested is the wire. */
const HURRY = 50;

type Answer = (response: ServerResponse) => void;
const stream =
	(body: string | Buffer, then: (response: ServerResponse) => void = () => {}): Answer =>
	(response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.write(body, () => then(response));
	};
const refuse =
	(status: number, type = 'text/plain'): Answer =>
	(response) =>
		response.writeHead(status, { 'content-type': type }).end(status === 204 ? undefined : 'no');
const word = (text: string, id?: string) =>
	`event: word\n${id ? `id: ${id}\n` : ''}data: ${JSON.stringify(text)}\n\n`;
const end = (response: ServerResponse) => void response.end();
const cut = (response: ServerResponse) => void response.destroy();

let server: Server | undefined;
let leave = (): void => {};
afterEach(async () => {
	leave();
	server?.closeAllConnections();
	await new Promise((resolve) => server?.close(resolve));
});

/** A server that answers its first connection with the first answer, and so on; the last one stays. */
async function visit(answers: Answer[], hurryOfWatchdog = 1) {
	const asked: string[] = [];
	let open = 0;
	let mostOpen = 0;
	server = createServer((request, response) => {
		asked.push(request.url ?? '');
		mostOpen = Math.max(mostOpen, ++open);
		response.on('close', () => open--);
		(answers[asked.length - 1] ?? stream(':\n\n'))(response);
	});
	await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
	const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const words: string[] = [];
	const states: StreamState[] = [];
	const parse: Parse<string> = (data) => ({ ok: true, value: String(data) });
	const environment: Environment = {
		openSource: (url) => new EventSource(url) as unknown as Source,
		window: new EventTarget(),
		document: Object.assign(new EventTarget(), { hidden: false }),
		isOnline: () => true,
		now: Date.now,
		random: () => 0,
		after: (ms, run) => after(ms / (ms > MAX_DELAY_MS ? hurryOfWatchdog : HURRY), run),
	};
	const store: EventStream = createEventStream<{ word: string; bye: Bye }>(
		(cursor) => `${base}/${cursor === null ? '' : `?cursor=${cursor}`}`,
		{
			parsers: { word: parse, bye: PARSERS.bye },
			onEvent: (...[name, payload]) => {
				if (name === 'word') words.push(payload);
			},
			environment,
		},
	);
	leave = store.subscribe((state) => states.push(state));
	return { asked, words, states, mostOpen: () => mostOpen };
}

test.each([
	['503', refuse(503)],
	['404', refuse(404)],
	['204, which tells a native EventSource to stop', refuse(204)],
	['200 with another content type', refuse(200, 'text/html')],
	['a connection that is cut before it answers', cut],
])('it comes back after %s', async (_, answer) => {
	const { asked, words, states } = await visit([
		stream(word('before', 'e-1'), cut),
		answer,
		stream(word('after', 'e-2')),
	]);
	await vi.waitFor(() => expect(words).toEqual(['before', 'after']));
	expect(asked).toEqual(['/', '/?cursor=e-1', '/?cursor=e-1']);
	expect(Math.max(...states.map(({ attempt }) => attempt))).toBe(2);
	expect(states.at(-1)).toMatchObject({ status: 'live', attempt: 0, cursor: 'e-2' });
});

test('the negative control: a native EventSource never comes back after 503', async () => {
	const { asked } = await visit([stream(word('before', 'e-1')), refuse(503)]);
	await vi.waitFor(() => expect(asked).toHaveLength(1));
	const base = `http://127.0.0.1:${(server?.address() as AddressInfo).port}/native`;
	const native = new EventSource(base, { node: { reconnectionTime: 1 } });
	await vi.waitFor(() => expect(native.readyState).toBe(EventSource.CLOSED));
	expect(asked).toEqual(['/', '/native']);
});

test('it comes back after a body that ended, by itself and not by the native reconnect as well', async () => {
	const { asked, words, mostOpen } = await visit([
		stream(`retry: 1\n${word('one', 'e-1')}`, end),
		stream(`retry: 1\n${word('two', 'e-2')}`, end),
		stream(word('three', 'e-3')),
	]);
	await vi.waitFor(() => expect(words).toEqual(['one', 'two', 'three']));
	expect([asked, mostOpen()]).toEqual([['/', '/?cursor=e-1', '/?cursor=e-2'], 1]);
});

test('an event cut in the middle is not an event, and its id is no position', async () => {
	const { asked, words } = await visit([
		stream(`${word('one', 'e-1')}id: e-2\nevent: word\ndata: "tw`, cut),
		stream(word('two', 'e-2')),
	]);
	await vi.waitFor(() => expect(words).toEqual(['one', 'two']));
	expect(asked).toEqual(['/', '/?cursor=e-1']);
});

test('an event without an id leaves the position where it is', async () => {
	const { asked, words } = await visit([
		stream(word('one', 'e-1') + word('no id'), end),
		stream(word('two')),
	]);
	await vi.waitFor(() => expect(words).toEqual(['one', 'no id', 'two']));
	expect(asked).toEqual(['/', '/?cursor=e-1']);
});

test('bye is obeyed: it leaves by itself and comes back', async () => {
	const { asked, words, states, mostOpen } = await visit([
		stream(`${word('one', 'e-1')}event: bye\ndata: {"retryMs":500}\n\n`),
		stream(word('two', 'e-2')),
	]);
	await vi.waitFor(() => expect(words).toEqual(['one', 'two']));
	expect(asked).toEqual(['/', '/?cursor=e-1']);
	expect(states.every(({ attempt }) => attempt === 0)).toBe(true);
	expect(mostOpen()).toBe(1);
});

test.each([
	['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(word('bom'))])],
	['CR as line end', word('bom').replaceAll('\n', '\r')],
	['CRLF as line end', word('bom').replaceAll('\n', '\r\n')],
	['comments between', `: hello\n\n:${'x'.repeat(2_000)}\n${word('bom')}`],
	['events nobody listens to', `event: other\ndata: 1\n\ndata: 2\n\n${word('bom')}`],
])('a stream with %s is understood', async (_, body) => {
	const { words } = await visit([stream(body)]);
	await vi.waitFor(() => expect(words).toEqual(['bom']));
});

test('a stream that is silent for the length of the watchdog is left for a new one', async () => {
	const { asked, words } = await visit(
		[stream(word('one', 'e-1')), stream(word('two', 'e-2'))],
		HURRY,
	);
	await vi.waitFor(() => expect(words).toEqual(['one', 'two']), { timeout: 5_000 });
	expect(asked).toEqual(['/', '/?cursor=e-1']);
});
