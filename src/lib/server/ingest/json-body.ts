/**
 * Reads the body of a request as JSON, plain or gzipped, within a limit; a refusal is a status and a sentence. Two traps:
 * adapter-node silently drops a body without Content-Type, so that is an error here; and gzip unpacks to up to a thousand
 * times what arrives, so the limit holds for both.
 */
import { promisify } from 'node:util';
import { gunzip as gunzipInPieces } from 'node:zlib';
import { readBody, tooLarge, type BodyBounds, type BodyRefusal } from '../http/read-body';
import { parseExact } from '../db/exact-json';
import type { InputError } from '../../ingest-limits';

export type Refusal = { status: 400 | 408 | 413 | 415 | 503; error: string; details: InputError[] };
export type JsonBody<Over = never> =
	{ ok: true; body: unknown } | ({ ok: false } & Refusal) | { ok: false; over: Over };

/** text/plain is what sendBeacon sends, and needs no preflight. */
const TYPES = ['application/json', 'text/plain'];
/** `x-gzip` is the same: RFC 9110, 8.4.1.3. */
const GZIP = ['gzip', 'x-gzip'];

const gunzip = promisify(gunzipInPieces);

/**
 * @param bounds `maxBytes`: as it comes, and unpacked
 * @param weigh asked with the number of bytes as they are unpacked, before anything is made of them: what it says, unless null, is `over`
 */
export async function readJson<Over = never>(
	request: Request,
	bounds: BodyBounds,
	weigh: (bytes: number) => Promise<Over | null> = async () => null,
): Promise<JsonBody<Over>> {
	const unsupported = headerFault(request.headers);
	if (unsupported) {
		const { error, value, rule } = unsupported;
		return refuse(415, error, { path: '(headers)', value, rule });
	}
	const body = await readBody(request, bounds);
	if (!body.ok) return refuseBody(body);
	const { bytes } = body;
	const unpacked = isGzip(request.headers) ? await unpack(bytes, bounds.maxBytes) : bytes;
	if (!(unpacked instanceof Uint8Array)) return unpacked;
	const over = await weigh(unpacked.byteLength);
	return over === null ? parseJson(unpacked) : { ok: false, over };
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
	if (encoding !== null && encoding.toLowerCase() !== 'identity' && !isGzip(headers))
		return {
			error: `The Content-Encoding ${encoding} is not supported. Send the JSON as it is, or with gzip.`,
			value: encoding,
			rule: 'Content-Encoding must be gzip or absent',
		};
	return null;
}

function isGzip(headers: Headers): boolean {
	return GZIP.includes(headers.get('content-encoding')?.toLowerCase() ?? '');
}

/**
 * Node unpacks 16 KiB at a time and stops at the first piece beyond `maxOutputLength`: a bomb never exists as a whole. It does so
 * on another thread.
 */
async function unpack(packed: Uint8Array, maxBytes: number): Promise<Uint8Array | JsonBody> {
	try {
		return await gunzip(packed, { maxOutputLength: maxBytes });
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? error.code : undefined;
		if (code === 'ERR_BUFFER_TOO_LARGE') return refuseBody(tooLarge(`${maxBytes} bytes unpacked`));
		if (code !== 'Z_DATA_ERROR' && code !== 'Z_BUF_ERROR') throw error;
		return refuse(400, 'The body is not gzip, as its Content-Encoding says it is, or is cut.', {
			path: '(body)',
			rule: 'must be complete gzip',
		});
	}
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
		return { ok: true, body: parseExact(text) };
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		return refuse(400, `The body is not JSON: ${reason}.`, {
			path: '(body)',
			rule: 'must be JSON',
		});
	}
}

function refuseBody({ status, error, rule }: BodyRefusal): JsonBody {
	return refuse(status, error, { path: '(body)', rule });
}

function refuse(status: Refusal['status'], error: string, detail: InputError): JsonBody {
	return { ok: false, status, error, details: [detail] };
}
