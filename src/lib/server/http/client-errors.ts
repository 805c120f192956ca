/**
 * How connections end that the HTTP parser cannot go on with: whoever is gone is told nothing, whoever wrote what is no HTTP is told so and
 * cut. Node does the same by itself, but makes an answer, and an error with its stack, for each that was reset: some 100 µs, and with a
 * thousand that are reset together nobody else is served meanwhile. Knows nothing of requests.
 */
import { Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** The peer went away, or ended in the middle of a head. */
const GONE = ['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'];
const ANSWERS: Readonly<Record<string, string>> = {
	HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
	HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
	ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
const OTHERWISE = '400 Bad Request';

/** The answer that is being written, if there is one; Node's own handler looks at the same. */
type Answering = { _httpMessage?: { _headerSent?: boolean } | null };

/** A listener for `clientError`. */
export function endBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
	const code = error.code ?? '';
	const isAnswered = Boolean((socket as Answering)._httpMessage?._headerSent);
	if (socket.writable && !isAnswered && !GONE.includes(code))
		socket.write(`HTTP/1.1 ${ANSWERS[code] ?? OTHERWISE}\r\nConnection: close\r\n\r\n`);
	// without the error: nobody reads it, and its stack would be made
	socket.destroy();
}

/** @param server whatever listens */
export function tameBroken(server: unknown): void {
	if (server instanceof Server) server.on('clientError', endBroken);
}
