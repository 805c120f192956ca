/** Reads a form, as our own pages send them: small. Whatever else comes is no form, and is not kept in memory either: anybody may send it. */
import { error, type RequestEvent } from '@sveltejs/kit';
import { readAddress, toNetwork } from './client-address';
import { readBody } from './read-body';

/** Fifty origins of a key are the most that a form of ours holds. */
export const MAX_FORM_BYTES = 16 * 1024;
/** What a refusal asks for: RFC 9110, 15.5.9, 15.6.4. */
const HEADERS: Readonly<Record<number, Record<string, string>>> = {
	408: { connection: 'close' },
	503: { 'retry-after': '2' },
};

type FormEvent = Pick<RequestEvent, 'request' | 'getClientAddress' | 'setHeaders'> & {
	locals: Pick<App.Locals, 'bodies'>;
};

/**
 * Null for a body that is too large, cut off, or not a form. Throws 408 for a late one and 503 for a
 * dropped one.
 */
export async function readForm(event: FormEvent): Promise<FormData | null> {
	const { request, locals, getClientAddress, setHeaders } = event;
	const network = toNetwork(readAddress(getClientAddress));
	const { bodies } = locals;
	const body = await readBody(request, { maxBytes: MAX_FORM_BYTES, bodies, network });
	if (!body.ok) {
		const headers = HEADERS[body.status];
		if (!headers) return null;
		setHeaders(headers);
		error(body.status, body.error);
	}
	try {
		const headers = { 'content-type': request.headers.get('content-type') ?? '' };
		return await new Response(new Uint8Array(body.bytes), { headers }).formData();
	} catch {
		return null;
	}
}
