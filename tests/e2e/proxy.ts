/**
 * The TCP proxy of tests/setup before the server, for the failures that no status code tells: it knows of HTTP how a stream's
 * request begins, and so can tell how many streams are open and what they carried.
 */
import { startTcpProxy, type Connection } from '../setup/tcp-proxy';

export type Proxy = {
	url: string;
	/** Nothing passes any more, in either direction, and neither end is told: sockets stay open. */
	freeze: () => void;
	/** New connections pass; those of before are reset. */
	thaw: () => void;
	/** streams that a client holds open at this moment */
	openStreams: () => number;
	/** the paths of all streams ever asked for, in order */
	streams: () => string[];
	/** what the streams have carried, as the client received it */
	received: () => string;
	close: () => Promise<void>;
};

const STREAM_REQUEST = /GET (\/api\/dashboard\/stream\S*) HTTP/;

export async function startProxy(target: string): Promise<Proxy> {
	const open = new Set<Connection>();
	const streams: string[] = [];
	let received = '';

	const proxy = await startTcpProxy(Number(new URL(target).port), {
		toServer(chunk, connection) {
			const [, path] = STREAM_REQUEST.exec(chunk.toString('latin1')) ?? [];
			if (path) {
				streams.push(path);
				open.add(connection);
			}
			return chunk;
		},
		toClient(chunk, connection) {
			if (open.has(connection)) received += chunk.toString();
			return chunk;
		},
		onClose: (connection) => void open.delete(connection),
	});

	return {
		url: `http://localhost:${proxy.port}`,
		freeze: proxy.freeze,
		thaw: proxy.thaw,
		openStreams: () => open.size,
		streams: () => streams,
		received: () => received,
		close: proxy.close,
	};
}
