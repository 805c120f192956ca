/**
 * The HTTP server of `node build`: SvelteKit's handler behind Node's own limits, and its shutdown. It replaces the server of
 * adapter-node, which has no option for these limits, and understands the same environment variables.
 */
import { statSync, unlinkSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';

/** Connections that the kernel holds until they are accepted; Linux allows as many by default (docs/decisions/0010). */
export const BACKLOG = 4_096;
/** For the whole request, headers and body. Does not end a response, so streams go on. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** How often Node looks for requests that are over their time. */
export const CHECK_INTERVAL_MS = 5_000;
/** Requests of one connection that wait for their responses. No browser and no proxy of ours pipelines. */
export const MAX_PIPELINED = 4;

export type HttpSettings = {
	/** where to listen: host and port, a Unix socket, or a socket that systemd has opened */
	listen: { host?: string; port?: number; path?: string; fd?: number };
	/** null: as Node has it */
	keepAliveMs: number | null;
	headersMs: number | null;
	/** after SIGTERM: until open connections are cut */
	shutdownMs: number;
	/** without a request, until a process that systemd started ends; 0: never */
	idleMs: number;
};

const NODE_HEADERS_TIMEOUT_MS = 60_000;
/** The peer reset the connection, or closed it within the headers: there is no one to answer. */
const GONE = ['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'];
const STATUS: Readonly<Record<string, string>> = {
	HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
	HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
	ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Listens, and shuts down on SIGTERM and SIGINT; `sveltekit:shutdown` tells the runtime when all connections are closed. */
export function startServer(handler: RequestListener, settings: HttpSettings): Server {
	const server = createHttpServer(handler, settings);
	const { listen } = settings;
	if (listen.path) removeStaleSocket(listen.path);
	server.once('error', (error) => {
		console.error(`Cannot listen on ${toText(listen)}: ${error.message}`);
		process.exit(1);
	});
	server.listen({ backlog: BACKLOG, ...listen }, () => {
		const address = server.address();
		const bound =
			typeof address === 'object' && address ? { host: address.address, port: address.port } : {};
		console.log(`Listening on ${toText({ ...listen, ...bound })}`);
	});
	shutDownOnSignals(server, settings);
	return server;
}

/** Does not listen yet. */
export function createHttpServer(
	handler: RequestListener,
	{ keepAliveMs, headersMs }: Pick<HttpSettings, 'keepAliveMs' | 'headersMs'>,
): Server {
	const headersTimeout = headersMs ?? NODE_HEADERS_TIMEOUT_MS;
	const server = createServer({
		headersTimeout,
		// Node asks for at least the time for the headers
		requestTimeout: Math.max(REQUEST_TIMEOUT_MS, headersTimeout),
		connectionsCheckingInterval: CHECK_INTERVAL_MS,
		...(keepAliveMs === null ? {} : { keepAliveTimeout: keepAliveMs }),
	});
	const waiting = new WeakMap<Duplex, Set<ServerResponse>>();

	server.on('request', (request, response) => {
		const { socket } = request;
		const responses = waiting.get(socket) ?? new Set();
		waiting.set(socket, responses.add(response));
		if (responses.size > MAX_PIPELINED) return void socket.destroy();
		response.once('close', () => responses.delete(response));
		// `http://host/path` is for proxies, and SvelteKit would take it for a path of ours
		if (!request.url?.startsWith('/')) return void response.writeHead(400).end('Bad Request');
		handler(request, response);
	});
	server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
		const code = error.code ?? '';
		const isAnswered = [...(waiting.get(socket) ?? [])].some(({ headersSent }) => headersSent);
		if (socket.writable && !isAnswered && !GONE.includes(code))
			socket.write(`HTTP/1.1 ${STATUS[code] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
		// without the error: no one reads it, and making its stack costs time
		socket.destroy();
	});
	return server;
}

function shutDownOnSignals(server: Server, { listen, shutdownMs, idleMs }: HttpSettings): void {
	let isEnding = false;
	let open = 0;
	let idle: NodeJS.Timeout | undefined;

	function shutDown(reason: 'SIGTERM' | 'SIGINT' | 'IDLE') {
		if (isEnding) return;
		isEnding = true;
		const cut = setTimeout(() => server.closeAllConnections(), shutdownMs);
		server.closeIdleConnections();
		server.close(() => {
			clearTimeout(cut);
			(process as NodeJS.EventEmitter).emit('sveltekit:shutdown', reason);
		});
	}
	server.on('request', (request) => {
		open++;
		clearTimeout(idle);
		request.once('close', () => {
			open--;
			// a connection that is kept alive would take another request
			if (isEnding) server.closeIdleConnections();
			else if (open === 0 && listen.fd && idleMs > 0) idle = setTimeout(shutDown, idleMs, 'IDLE');
		});
	});
	process.once('SIGTERM', () => shutDown('SIGTERM'));
	process.once('SIGINT', () => shutDown('SIGINT'));
}

/** What a process that crashed has left; anything but a socket stays, and is an error. */
function removeStaleSocket(path: string): void {
	if (statSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
}

function toText({ fd, path, host = '', port }: HttpSettings['listen']): string {
	if (fd) return `file descriptor ${fd}`;
	return path ?? `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
