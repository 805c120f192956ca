/**
 * Compresses responses to GET (brotli, else gzip) that are worth it: pages, data, scripts. Streams and everything that is
 * POSTed pass by untouched, so neither the fan-out nor ingest pays for it. Files of the build are compressed beforehand.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import compression from 'compression';

/** Below it the headers cost more than compression saves. */
export const MIN_BYTES = 1_024;

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** @param isStream paths whose responses never end */
export function compress(
	handler: RequestListener,
	isStream: (path: string) => boolean,
): RequestListener {
	const middleware = compression({ threshold: MIN_BYTES, filter }) as unknown as Middleware;
	return (request, response) => {
		const { method, url = '/' } = request;
		const mayCompress =
			(method === 'GET' || method === 'HEAD') && !isStream(url.split('?')[0] ?? '');
		if (!mayCompress) return handler(request, response);
		middleware(request, response, () => void handler(request, response));
	};
}

/** Called before the headers leave. A strong ETag names bytes, which now depend on the encoding (RFC 9110, 8.8.1). */
function filter(...[request, response]: Parameters<compression.CompressionFilter>): boolean {
	if (response.hasHeader('content-encoding') || !compression.filter(request, response))
		return false;
	const etag = response.getHeader('etag');
	if (typeof etag === 'string' && !etag.startsWith('W/')) response.setHeader('etag', `W/${etag}`);
	return true;
}
