import type { IncomingMessage } from 'node:http';
import type { HealthWatch } from '$lib/server/monitoring/health';
import type { SendingKeys } from '$lib/components/sending/snippets';
import type { BodyBudget } from '$lib/server/http/body-budget';
import type { ViewLimits } from '$lib/server/http/view-limits';
import type { BeforeReader } from '$lib/server/history/half-hour-before';
import type { HistoryReader } from '$lib/server/history/history-cache';
import type { OlderReader } from '$lib/server/history/older-events';
import type { SessionReader } from '$lib/server/history/session-path';
import type { ContextReader } from '$lib/server/ingest/context';
import type { Ingest } from '$lib/server/ingest/group-commit';
import type { IngestLimits } from '$lib/server/ingest/rate-limits';
import type { Instance } from '$lib/server/stream/hub';
import type { Moments } from '$lib/server/moment/moments';
import type { Metrics } from '$lib/server/monitoring/metrics';
import type { Login } from '$lib/server/access/login';
import type { PeopleLister } from '$lib/server/presence/people-list';
import type { PresenceWriter } from '$lib/server/presence/presence-writer';
import type { Viewer } from '$lib/server/access/viewer-rows';
import type { KeyCheck } from '$lib/server/keys/key-check';
import type { RequestLog } from '$lib/server/monitoring/request-log';
import type { Keyring } from '$lib/server/keys/keyring';
import type { OwnVisits } from '$lib/server/ignored/own-visits';
import type { Robots } from '$lib/server/ignored/robots';
import type { Rejections } from '$lib/server/ingest/rejections';
import type { VisitorIds } from '$lib/server/ingest/visitor-salt';

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
			/** what the request of a person says of them */
			context: ContextReader;
			/** what bodies that come in may take */
			bodies: BodyBudget;
			/** ranges beyond the present */
			history: HistoryReader;
			/** what live breakdowns are compared with */
			before: BeforeReader;
			/** events beyond the page, and single ones */
			older: OlderReader;
			/** the paths of sessions */
			sessions: SessionReader;
			/** the page at a moment */
			moments: Moments;
			metrics: Metrics;
			/** the path below which the proxy serves this process: `/now`, or empty */
			basePath: string;
			/** events are taken without a key */
			ingestOpen: boolean;
			/** what the page says that events come with */
			sendingKeys: SendingKeys;
			/** the login and its settings; null: there is no password */
			login: (Login & { keyring: Keyring }) | null;
			/** the viewer; null: unknown, or irrelevant for the route */
			viewer: Viewer | null;
			/** where the request comes from, for limits */
			network: string;
			/** how many different views may be asked for */
			viewLimits: ViewLimits;
			/** when the token in the address ends, ms since 1970; null: there is none */
			tokenEndsAt: number | null;
			keys: KeyCheck;
			limits: IngestLimits;
			/** takes who is here; null: presence is switched off */
			presence: { hear: PresenceWriter['hear']; limits: IngestLimits } | null;
			/** lists who is here; null: presence is switched off */
			people: PeopleLister | null;
			/** session ids of visitors who have none */
			visitors: VisitorIds;
			/** what ingest refused, by reason */
			rejections: Rejections;
			/** visits of the team, which are not counted */
			ownVisits: OwnVisits;
			robots: Robots;
			/** the demo's simulator, when this is the demo */
			demo: { running: boolean } | null;
		}
	}
}

export {};
