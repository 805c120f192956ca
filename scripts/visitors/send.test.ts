import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { expectConsole } from '../../tests/setup/console';
import { freePort } from '../process/ports';
import { createSender } from './send';

/** An ingest endpoint that answers as `answers` say, one after another, then with 202. */
async function startEndpoint(
	port: number,
	answers: ((response: ServerResponse) => void)[] = [],
	seen: (request: IncomingMessage) => void = () => {},
) {
	const bodies: { eventId: string }[][] = [];
	const server = createServer((request: IncomingMessage, response) => {
		seen(request);
		void text(request).then((body) => {
			const events = JSON.parse(body) as { eventId: string }[];
			bodies.push(events);
			const answer = answers.shift() ?? accept(events.length);
			answer(response);
		});
	});
	onTestFinished(() => void server.close());
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	return bodies;
}

const accept = (count: number) => (response: ServerResponse) =>
	response.writeHead(202).end(JSON.stringify({ accepted: count, duplicates: 0 }));
const refuse = (status: number) => (response: ServerResponse) =>
	response.writeHead(status).end('no');
const cut = (response: ServerResponse) => response.destroy();

test('what is not acknowledged is sent again, with the same ids, until it is', async () => {
	const port = await freePort();
	const bodies = await startEndpoint(port, [refuse(503), cut, refuse(500)]);
	const sender = createSender(`http://127.0.0.1:${port}/`, new AbortController().signal);
	await sender.add([{ eventId: 'a' }, { eventId: 'b' }]);
	await sender.finish();
	expect(bodies).toEqual(Array(4).fill([{ eventId: 'a' }, { eventId: 'b' }]));
	expect(sender.accepted()).toBe(2);
});

test('waits for a server that is not there yet', async () => {
	const port = await freePort();
	const sender = createSender(`http://127.0.0.1:${port}/`, new AbortController().signal);
	await sender.add([{ eventId: 'a' }]);
	const bodies = await startEndpoint(port);
	await sender.finish();
	expect(bodies).toEqual([[{ eventId: 'a' }]]);
});

test('what is refused for good is said and not sent again', async () => {
	const errors = expectConsole('error');
	const port = await freePort();
	const bodies = await startEndpoint(port, [refuse(400)]);
	const sender = createSender(`http://127.0.0.1:${port}/`, new AbortController().signal);
	await sender.add([{ eventId: 'a' }]);
	await sender.finish();
	expect([bodies.length, errors]).toEqual([1, [expect.stringContaining('(400): no')]]);
});

test('a key goes along as a header, and none when there is none', async () => {
	const headers: unknown[] = [];
	const port = await freePort();
	await startEndpoint(port, [], (request) => headers.push(request.headers.authorization));
	for (const key of ['nb_sec_x', undefined]) {
		const sender = createSender(`http://127.0.0.1:${port}/`, new AbortController().signal, key);
		await sender.add([{ eventId: 'a' }]);
		await sender.finish();
	}
	expect(headers).toEqual(['Bearer nb_sec_x', undefined]);
});

test('a batch has at most 500 events', async () => {
	const port = await freePort();
	const bodies = await startEndpoint(port);
	const sender = createSender(`http://127.0.0.1:${port}/`, new AbortController().signal);
	await sender.add(Array.from({ length: 1_001 }, (_, n) => ({ eventId: String(n) })));
	await sender.finish();
	expect(bodies.map((events) => events.length).sort()).toEqual([1, 500, 500]);
});

test('when it is told to stop, waiting ends at once', async () => {
	const stop = new AbortController();
	const sender = createSender(`http://127.0.0.1:${await freePort()}/`, stop.signal);
	await sender.add([{ eventId: 'a' }]);
	stop.abort();
	await sender.finish();
	expect(sender.accepted()).toBe(0);
});
