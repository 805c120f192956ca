/**
 * GET /t.js: the tracker, for pages of any origin. Compressed once here, since nothing may stand between this server and a
 * visitor; the ETags differ, because they name bytes. An hour old at most: what is embedded in other people's pages
 * can be mended in an hour.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { error } from '@sveltejs/kit';
import code from 'virtual:tracker';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

const on = toScript(code);
/** for a server without presence: the script's own switch */
const off = toScript(code.replace('{host:', '{presence:"false",host:'));

function toScript(code: string) {
	const plain = new TextEncoder().encode(code);
	const gzipped = new Uint8Array(gzipSync(plain, { level: 9 }));
	return {
		plain,
		gzipped,
		hash: createHash('sha256').update(plain).digest('base64url').slice(0, 16),
	};
}

const HEADERS = {
	'content-type': 'text/javascript; charset=utf-8',
	'cache-control': 'public, max-age=3600',
	vary: 'Accept-Encoding',
	// a <script crossorigin>, and a page under Cross-Origin-Embedder-Policy, may load it too
	'access-control-allow-origin': '*',
	'cross-origin-resource-policy': 'cross-origin',
	'x-content-type-options': 'nosniff',
};

export const GET: RequestHandler = ({ request, url, locals }) => {
	// from `/t.js/` the script would send to `/t.js/api/events`
	if (url.pathname.endsWith('/')) error(404, 'Not found');
	const { plain, gzipped, hash } = locals.presence ? on : off;
	const zip = acceptsGzip(request.headers.get('accept-encoding') ?? '');
	const etag = zip ? `"${hash}-gzip"` : `"${hash}"`;
	if (knows(request.headers.get('if-none-match') ?? '', etag))
		return new Response(null, { status: 304, headers: { ...HEADERS, etag } });
	const body = zip ? gzipped : plain;
	return new Response(body, {
		headers: {
			...HEADERS,
			etag,
			'content-length': String(body.length),
			...(zip && { 'content-encoding': 'gzip' }),
		},
	});
};

function acceptsGzip(header: string): boolean {
	return header.split(',').some((part) => {
		const [coding, weight = 'q=1'] = part.split(';').map((text) => text.trim().toLowerCase());
		return coding === 'gzip' && Number(weight.slice('q='.length)) > 0;
	});
}

/** The weak comparison of RFC 9110, 13.1.2: a proxy that compresses may have weakened ours. */
function knows(header: string, etag: string): boolean {
	return header
		.split(',')
		.map((tag) => tag.trim().replace(/^W\//, ''))
		.some((tag) => tag === etag || tag === '*');
}
