/**
 * One transport on node:http with the same feed behind it, as little of each as does the whole job: everyone gets each event once, also
 * after a cut. Over IPC: `events` are published; `usage` is answered with bytes and requests.
 *
 * @typedef {{ id: number } & Record<string, unknown>} Event
 * @typedef {{ since(id: number): Event[], newest(): number, subscribe(send: (events: Event[]) => void): () => void }} Feed
 * @typedef {{ serve(server: import('node:http').Server, feed: Feed): void }} Transport
 */
import { createServer } from 'node:http';

const KEPT = 1_000;
/** @type {Event[]} */
let recent = [];
const subscribers = new Set();
const feed = {
	since: (id) => recent.filter((event) => event.id > id),
	newest: () => recent.at(-1)?.id ?? 0,
	subscribe(send) {
		subscribers.add(send);
		return () => subscribers.delete(send);
	},
};

const { serve } = await import(`./${process.argv[2]}.server.js`);
const server = createServer();
let requests = 0;
let closedBytes = 0;
const sockets = new Set();
server.on('request', () => requests++);
server.on('upgrade', () => requests++);
server.on('connection', (socket) => {
	sockets.add(socket);
	socket.on('close', () => {
		sockets.delete(socket);
		closedBytes += socket.bytesRead + socket.bytesWritten;
	});
});
serve(server, feed);
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

process.on('message', ({ events }) => {
	if (events) {
		recent = [...recent, ...events].slice(-KEPT);
		for (const send of subscribers) send(events);
		return;
	}
	let bytes = closedBytes;
	for (const socket of sockets) bytes += socket.bytesRead + socket.bytesWritten;
	process.send({ usage: { bytes, requests } });
});
process.on('disconnect', () => process.exit());
