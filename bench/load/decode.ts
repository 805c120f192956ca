/**
 * The client's half of HTTP/1.1 for one long answer: head, then a body in chunks or until the end. It hands on the bytes of the
 * body as they are and copies none; Node's own parser costs more than the rest of the load generator together.
 */

export type Decoder = {
	feed(bytes: Buffer): void;
};

const HEAD_END = Buffer.from('\r\n\r\n');
const CR = 13;
const LF = 10;

/**
 * @param onHead status and head as text, once
 * @param onBody a piece of the body; valid during the call only
 */
export function createDecoder(
	onHead: (status: number, head: string) => void,
	onBody: (bytes: Buffer) => void,
): Decoder {
	let head: Buffer | null = Buffer.alloc(0);
	let chunked = false;
	/** of the present chunk; 0: a line with a size is next */
	let left = 0;
	let size = 0;
	let inSize = false;

	function takeHead(bytes: Buffer): Buffer | null {
		head = Buffer.concat([head as Buffer, bytes]);
		const end = head.indexOf(HEAD_END);
		if (end === -1) return null;
		const text = head.toString('latin1', 0, end);
		const rest = head.subarray(end + HEAD_END.length);
		head = null;
		chunked = /\r\ntransfer-encoding: chunked/i.test(text);
		onHead(Number(text.slice(9, 12)), text);
		return rest;
	}

	return {
		feed(all) {
			const bytes = head === null ? all : takeHead(all);
			if (bytes === null || bytes.length === 0) return;
			if (!chunked) return onBody(bytes);
			let at = 0;
			while (at < bytes.length) {
				if (left > 0) {
					const end = Math.min(bytes.length, at + left);
					onBody(bytes.subarray(at, end));
					left -= end - at;
					at = end;
					continue;
				}
				const byte = bytes[at++] as number;
				if (byte === LF && inSize) {
					left = size;
					size = 0;
					inSize = false;
				} else if (byte !== CR && byte !== LF) {
					inSize = true;
					size = size * 16 + hex(byte);
				}
			}
		},
	};
}

function hex(byte: number): number {
	return byte <= 57 ? byte - 48 : (byte | 32) - 87;
}
