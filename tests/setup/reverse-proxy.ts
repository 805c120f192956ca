/**
 * A typical reverse proxy in a few lines of Node: HTTP in, HTTP out, its own connections upstream, and the
 * client's address at the end of X-Forwarded-For. Paths and header names pass unchanged. Real proxies are
 * in tests/system.
 */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { omit } from './wire';

/** RFC 9110, 7.6.1 */
const HOP_BY_HOP = ['connection', 'upgrade', 'transfer-encoding'];

export type ReverseProxy = {
	/** without a slash at the end */
	url: string;
	/** where requests go from now on: an origin */
	point(target: string): void;
	close(): Promise<void>;
};

/** @param below a path like `/now` that it strips; what is asked beside it is answered 404 */
export async function startReverseProxy(below = ''): Promise<ReverseProxy> {
	let target = new URL('http://127.0.0.1:1');
	const server = createServer((asked, answer) => {
		const path = asked.url ?? '/';
		if (!/^[/?]|^$/.test(path.slice(below.length)) || !path.startsWith(below))
			return answer.writeHead(404).end('not below the path');
		const before = asked.headers['x-forwarded-for'];
		const from = [before, asked.socket.remoteAddress].filter(Boolean).join(', ');
		const headers = omit(asked.headers, HOP_BY_HOP);
		const upstream = request({
			host: target.hostname,
			port: target.port,
			method: asked.method,
			path: path.slice(below.length).replace(/^(?!\/)/, '/'),
			headers: { ...headers, 'x-forwarded-for': from },
		});
		upstream.on('response', (response) => {
			answer.writeHead(response.statusCode ?? 502, response.headers);
			answer.flushHeaders();
			response.on('error', () => answer.destroy());
			response.pipe(answer);
		});
		upstream.on('error', () => {
			if (answer.headersSent) answer.destroy();
			else answer.writeHead(502).end();
		});
		answer.on('close', () => upstream.destroy());
		asked.pipe(upstream);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		point(origin) {
			target = new URL(origin);
		},
		async close() {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
}
