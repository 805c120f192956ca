/** WebSocket: the same, in a protocol of its own. @type {import('./serve.js').Transport} */
import { WebSocketServer } from 'ws';

const PING_MS = 15_000;

export function serve(server, feed) {
	const sockets = new WebSocketServer({ server });
	sockets.on('connection', (socket, request) => {
		const after = new URL(request.url, 'http://localhost').searchParams.get('after');
		const send = (events) => socket.send(JSON.stringify(events));
		const missed = feed.since(Number(after ?? feed.newest()));
		if (missed.length > 0) send(missed);
		const unsubscribe = feed.subscribe(send);
		let alive = true;
		socket.on('pong', () => (alive = true));
		const pinging = setInterval(() => {
			if (!alive) return socket.terminate();
			alive = false;
			socket.ping();
		}, PING_MS);
		socket.on('error', () => {});
		socket.on('close', () => {
			clearInterval(pinging);
			unsubscribe();
		});
	});
}
