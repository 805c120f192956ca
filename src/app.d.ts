import type { IncomingMessage } from 'node:http';
import type { Ingest } from '$lib/server/ingest';
import type { Instance } from '$lib/server/instance';
import type { KeyCheck } from '$lib/server/key-check';
import type { Rejections } from '$lib/server/rejections';

declare global {
	namespace App {
		/** What adapter-node gives to a request; absent under `vite dev`. */
		interface Platform {
			req?: IncomingMessage;
		}
		/** What `hooks.server.ts` hands to every request. */
		interface Locals {
			live: Instance;
			ingest: Ingest;
			/** events are taken without a key */
			ingestOpen: boolean;
			keys: KeyCheck;
			/** what ingest refused, by reason */
			rejections: Rejections;
			/** the demo's simulator, when this is the demo */
			demo: { running: boolean } | null;
		}
	}
}

export {};
