/** Polling: answers with what is new. @type {import('./serve.js').Transport} */
export function serve(server, feed) {
	server.on('request', (request, response) => {
		const after = new URL(request.url, 'http://localhost').searchParams.get('after');
		const events = feed.since(Number(after ?? feed.newest()));
		response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
		response.end(JSON.stringify({ events, newest: feed.newest() }));
	});
}
