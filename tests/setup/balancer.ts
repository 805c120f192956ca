/**
 * A plain reverse proxy before several instances: each request goes to the next instance on its own
 * connection, and to the one after it when that refuses. It buffers request bodies, and answers 502 when no
 * instance answers.
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from './listen';

/** Ends with the test. @param targets origins of the instances; @returns its own */
export async function startBalancer(targets: readonly string[]): Promise<string> {
	let turn = 0;

	async function forward(incoming: IncomingMessage, answer: ServerResponse) {
		const chunks: Buffer[] = [];
		for await (const chunk of incoming) chunks.push(chunk as Buffer);
		const body = Buffer.concat(chunks);
		const first = turn++;
		const attempt = (tried: number) => {
			if (tried === targets.length) return void answer.writeHead(502).end();
			const target = new URL(incoming.url ?? '/', targets[(first + tried) % targets.length]);
			const headers = { ...incoming.headers, connection: 'close' };
			const upstream = request(target, { method: incoming.method, headers, agent: false });
			upstream.once('error', () => {
				if (answer.headersSent) answer.destroy();
				else attempt(tried + 1);
			});
			upstream.once('response', (response) => {
				answer.writeHead(response.statusCode ?? 502, response.headers);
				answer.flushHeaders();
				response.once('error', () => answer.destroy());
				response.pipe(answer);
			});
			answer.once('close', () => upstream.destroy());
			upstream.end(body);
		};
		attempt(0);
	}

	const server = createServer((incoming, answer) => void forward(incoming, answer));
	return `http://127.0.0.1:${await listen(server)}`;
}
