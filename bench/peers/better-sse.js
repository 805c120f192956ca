/** better-sse on node:http, as its documentation shows it: a session for each request, one channel, a broadcast for each event. */
import { createServer } from 'node:http';
import { createChannel, createSession } from 'better-sse';

const channel = createChannel();

createServer(async (request, response) => {
	if (request.method === 'GET') {
		channel.register(await createSession(request, response));
		return;
	}
	let body = '';
	for await (const part of request) body += part;
	for (const event of JSON.parse(body)) channel.broadcast(event, 'activity');
	response.writeHead(204).end();
}).listen(Number(process.env.PORT), '127.0.0.1');
