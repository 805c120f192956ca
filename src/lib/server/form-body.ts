/** Reads a form, as our own pages send them: small. Whatever else comes is no form, and is not kept in memory either: anybody may send it. */
import { readBytes } from './json-body';

/** Fifty origins of a key are the most that a form of ours holds. */
export const MAX_FORM_BYTES = 16 * 1024;

/** Null for a body that is too large, is cut, or is no form. */
export async function readForm(request: Request): Promise<FormData | null> {
	try {
		const bytes = await readBytes(request, MAX_FORM_BYTES);
		if (bytes === null) return null;
		const headers = { 'content-type': request.headers.get('content-type') ?? '' };
		return await new Response(new Uint8Array(bytes), { headers }).formData();
	} catch {
		return null;
	}
}
