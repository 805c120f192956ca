/**
 * Answers 404 for files of the build that are gone since the start: a new build has replaced them. adapter-node lists the files once
 * and opens them without a handler for errors, so such a request would end the process.
 */
import { readdirSync } from 'node:fs';
import { access } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join, posix } from 'node:path';

/** @param folder of what adapter-node serves as files */
export function refuseMissing(handler: RequestListener, folder: string): RequestListener {
	const files = new Set(
		readdirSync(folder, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) =>
				join(entry.parentPath, entry.name).slice(folder.length).replaceAll('\\', '/'),
			),
	);
	return (request, response) => {
		const path = toPath(request.url ?? '/');
		if (!files.has(path)) return handler(request, response);
		// it may go between this look and the handler's own: then the connection ends, and the process does not
		response.once('pipe', (source) => source.once('error', () => response.destroy()));
		access(join(folder, path)).then(
			() => handler(request, response),
			() => {
				response.writeHead(404, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
				response.end('Not found');
			},
		);
	};
}

/** As adapter-node reads it; what cannot be decoded is no file. */
function toPath(url: string): string {
	const path = url.split('?')[0] ?? '/';
	try {
		return posix.normalize(decodeURIComponent(path));
	} catch {
		return path;
	}
}
