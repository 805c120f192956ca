/**
 * What `node build` runs: scripts/release/build-release.ts bundles it to build/index.js, beside adapter-node's handler.js.
 * Note: handler.js reads the environment and starts the runtime while it is imported, so the check comes first.
 */
import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import { readEnv } from './lib/server/config/env';
import { VARIABLES } from './lib/server/config/variables';
import { compress } from './lib/server/http/compress';
import { refuseMissing } from './lib/server/http/missing-assets';
import { startServer } from './lib/server/http/server';

const STREAM = '/api/dashboard/stream';

// an empty line in .env means unset; adapter-node would reject an empty ORIGIN
for (const name of Object.keys(VARIABLES)) if (process.env[name] === '') delete process.env[name];

const read = readEnv(process.env);
if (!read.ok) {
	console.error(read.errors.join('\n'));
	process.exit(1);
}

// beside build/index.js: not a module that a bundler can find
const { href } = new URL('handler.js', import.meta.url);
const { handler } = (await import(href)) as { handler: RequestListener };
const assets = fileURLToPath(new URL('client', import.meta.url));
startServer(
	compress(refuseMissing(handler, assets), (path) => path === STREAM),
	read.env.http,
);
