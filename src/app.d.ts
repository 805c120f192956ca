import type { IncomingMessage } from 'node:http';
import type { HealthWatch } from '$lib/server/health';
import type { Ingest } from '$lib/server/ingest';
import type { Instance } from '$lib/server/instance';
import type { Metrics } from '$lib/server/metrics';
import type { PasswordCheck } from '$lib/server/password';
import type { ShareLinks } from '$lib/server/share-links';
import type { Tokens } from '$lib/server/tokens';
import type { Viewer, Viewers } from '$lib/server/viewers';
import type { KeyCheck } from '$lib/server/key-check';
import type { RequestLog } from '$lib/server/request-log';
import type { Rejections } from '$lib/server/rejections';

declare global {
	namespace App {
		/** What adapter-node gives to a request; absent under `vite dev`. */
		interface Platform {
			req?: IncomingMessage;
		}
		/** What an answer says that failed. */
		interface Error {
			message: string;
			/** the same as in the log */
			requestId?: string;
		}
		/** What `hooks.server.ts` hands to every request. */
		interface Locals {
			live: Instance;
			health: HealthWatch['health'];
			/** of this request: in its log lines, and in its answer's `x-request-id` */
			requestId: string;
			requests: RequestLog;
			ingest: Ingest;
			metrics: Metrics;
			/** events are taken without a key */
			ingestOpen: boolean;
			/** how to log in; null: there is no password */
			login: {
				password: PasswordCheck;
				viewers: Viewers;
				links: ShareLinks;
				tokens: Tokens;
			} | null;
			/** whoever asks; null: not known, or it does not matter */
			viewer: Viewer | null;
			/** when the token in the address ends, ms since 1970; null: there is none */
			tokenEndsAt: number | null;
			keys: KeyCheck;
			/** what ingest refused, by reason */
			rejections: Rejections;
			/** the demo's simulator, when this is the demo */
			demo: { running: boolean } | null;
		}
	}
}

export {};
