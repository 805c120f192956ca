/**
 * The floor: node:http and nothing else. A POST to /publish is one frame for all clients of /stream; no
 * cursor, no history, no database, no check for slow clients.
 */
import { createServer } from 'node:http';

/** @type {Set<import('node:http').ServerResponse>} */
const clients = new Set();
let id = 0;

createServer((request, response) => {
	if (request.method === 'GET') {
		response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
		response.write(':\n\n');
		clients.add(response);
		response.on('close', () => clients.delete(response));
		return;
	}
	/** @type {Buffer[]} */
	const parts = [];
	request.on('data', (part) => parts.push(part));
	request.on('end', () => {
		const frame = Buffer.concat([
			Buffer.from(`event: activity\nid: ${++id}\ndata: `),
			...parts,
			Buffer.from('\n\n'),
		]);
		for (const client of clients) client.write(frame);
		response.writeHead(204).end();
	});
}).listen(Number(process.env.PORT), '127.0.0.1');
