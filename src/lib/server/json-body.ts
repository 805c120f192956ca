/**
 * Reads the body of a request as JSON, with a limit, or says why not as a status and a sentence. Knows nothing of events.
 * Two things a newcomer gets wrong: adapter-node drops a body without Content-Type in silence, so that must be an error
 * here; and a body that is refused must be read to its end all the same, or the connection it came on is stuck.
 */
import type { InputError } from './event-input';

export type Refusal = { status: 400 | 413 | 415; error: string; details: InputError[] };
export type JsonBody = { ok: true; body: unknown } | ({ ok: false } & Refusal);

/** text/plain is what sendBeacon sends, and needs no preflight. */
const TYPES = ['application/json', 'text/plain'];

export async function readJson(request: Request, maxBytes: number): Promise<JsonBody> {
	const unsupported = headerFault(request.headers);
	if (unsupported) {
		await discardBody(request);
		const { error, value, rule } = unsupported;
		return refuse(415, error, { path: '(headers)', value, rule });
	}
	try {
		const bytes = await readBytes(request, maxBytes);
		return bytes === null ? tooLarge(`${maxBytes} bytes`) : parseJson(bytes);
	} catch (error) {
		if (isTooLarge(error)) return tooLarge('what BODY_SIZE_LIMIT says');
		const rule = 'must be complete';
		return refuse(400, 'The body ended before it was complete.', { path: '(body)', rule });
	}
}

/** Reads and forgets the rest, up to what the adapter allows. */
export async function discardBody(request: Request): Promise<void> {
	await readBytes(request, 0).catch(() => {});
}

function headerFault(
	headers: Headers,
): { error: string; value: string | null; rule: string } | null {
	const type = headers.get('content-type');
	const [essence = '', ...parameters] = (type ?? '')
		.split(';')
		.map((part) => part.trim().toLowerCase());
	const charset = parameters
		.find((part) => part.startsWith('charset='))
		?.slice('charset='.length)
		.replaceAll('"', '');
	const send = 'Send JSON with the header "Content-Type: application/json" (or text/plain).';
	if (type === null)
		return {
			error: `The request has no Content-Type. ${send}`,
			value: null,
			rule: `Content-Type must be ${TYPES.join(' or ')}`,
		};
	if (!TYPES.includes(essence))
		return {
			error: `The Content-Type ${essence} is not supported. ${send}`,
			value: type,
			rule: `Content-Type must be ${TYPES.join(' or ')}`,
		};
	if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
		return {
			error: `The charset ${charset} is not supported. ${send} JSON is UTF-8.`,
			value: type,
			rule: 'charset must be utf-8',
		};
	const encoding = headers.get('content-encoding');
	if (encoding !== null && encoding.toLowerCase() !== 'identity')
		return {
			error: `The Content-Encoding ${encoding} is not supported. Send the JSON as it is.`,
			value: encoding,
			rule: 'there must be no Content-Encoding',
		};
	return null;
}

/** null when there are more than `maxBytes`. */
async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array | null> {
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of request.body ?? []) {
		size += chunk.byteLength;
		if (size > maxBytes) chunks.length = 0;
		else chunks.push(chunk);
	}
	return size > maxBytes ? null : Buffer.concat(chunks);
}

/** adapter-node's own BODY_SIZE_LIMIT, which breaks the stream. */
function isTooLarge(error: unknown): boolean {
	return error instanceof Error && 'status' in error && error.status === 413;
}

function parseJson(bytes: Uint8Array): JsonBody {
	if (bytes.length === 0)
		return refuse(400, 'The body is empty. Send an event, such as {"name":"signup"}.', {
			path: '(body)',
			rule: 'must be JSON',
		});
	let text: string;
	try {
		text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return refuse(400, 'The body is not UTF-8.', { path: '(body)', rule: 'must be UTF-8' });
	}
	try {
		return { ok: true, body: JSON.parse(text) as unknown };
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		return refuse(400, `The body is not JSON: ${reason}.`, {
			path: '(body)',
			rule: 'must be JSON',
		});
	}
}

function tooLarge(limit: string): JsonBody {
	const error = `The body is too large: this server takes at most ${limit}. Send fewer events at once.`;
	return refuse(413, error, { path: '(body)', rule: `must be at most ${limit}` });
}

function refuse(status: Refusal['status'], error: string, detail: InputError): JsonBody {
	return { ok: false, status, error, details: [detail] };
}
