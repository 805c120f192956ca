import type { IncomingMessage } from 'node:http';
import type { Ingest } from '$lib/server/ingest';
import type { Instance } from '$lib/server/instance';
import type { PasswordCheck } from '$lib/server/password';
import type { Session, Sessions } from '$lib/server/sessions';

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
			/** how to log in; null: the dashboard is public, or has no password */
			login: { password: PasswordCheck; sessions: Sessions } | null;
			/** of whoever asks; null: nobody has logged in, or nobody must */
			session: Session | null;
			/** the demo's simulator, when this is the demo */
			demo: { running: boolean } | null;
		}
	}
}

export {};
