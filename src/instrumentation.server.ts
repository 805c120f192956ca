/**
 * What `node build` runs before anything else. The Node adapter reads its own variables while it is loaded, and would end the
 * process at the first that it does not like, before hooks.server.ts is asked: here all mistakes are named at once.
 */
import { readEnv } from '$lib/server/config/env';
import { VARIABLES } from '$lib/server/config/variables';

// an empty line in .env means unset; the adapter would refuse an empty ORIGIN
for (const name of Object.keys(VARIABLES)) if (process.env[name] === '') delete process.env[name];

const read = readEnv(process.env);
if (!read.ok) {
	console.error(read.errors.join('\n'));
	process.exit(1);
}
