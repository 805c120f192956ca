/** Server-Sent Events: what was missed, then what comes. @type {import('./serve.js').Transport} */
export function serve(server, feed) {
	server.on('request', (request, response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
		const send = (events) =>
			response.write(`id: ${events.at(-1).id}\ndata: ${JSON.stringify(events)}\n\n`);
		const missed = feed.since(Number(request.headers['last-event-id'] ?? feed.newest()));
		if (missed.length > 0) send(missed);
		else response.write(':\n\n');
		request.on('close', feed.subscribe(send));
	});
}
