/**
 * One line for each request, by an id that its answer carries too. Knows what must never be in a log: keys, tokens, cookies and
 * passwords travel in headers, bodies and addresses, so of an address only what is known to be harmless is written, and of the
 * others nothing. Lines are `debug` unless all are asked for: what goes well is counted in the metrics, what fails logs for itself.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { EndReason } from '../stream/client-stream';

/** A proxy's or a caller's own id is taken when it is one: it goes into our log, so nothing that could forge a line of it. */
const REQUEST_ID = /^[\w.:=+/-]{1,100}$/;
/** Of these the value is written; of all others only the name. */
const HARMLESS = ['cursor', 'events', 'source', 'range', 'case'];
/** Parts of a path that no route of ours has could be anything, a key for instance. */
const MAX_PART = 24;
const MAX_VALUE = 64;

export type Asked = {
	requestId: string;
	method: string;
	/** SvelteKit's; null when there is none */
	routeId: string | null;
	url: URL;
};

export type RequestLog = {
	/** @param since `performance.now()` when the request came */
	answered(asked: Asked, status: number, since: number): void;
	/** A stream has begun. Tell what is returned why it ended; it holds nothing of the request but its id. */
	streamed(requestId: string): (reason: EndReason) => void;
};

/** @param given the header `x-request-id` */
export function toRequestId(given: string | null): string {
	return given !== null && REQUEST_ID.test(given) ? given : randomUUID();
}

/** What of an address may be written down. */
export function toLoggedPath({ routeId, url }: Pick<Asked, 'routeId' | 'url'>): string {
	const query = [...url.searchParams]
		.map(
			([name, value]) =>
				`${cut(name, MAX_PART)}=${HARMLESS.includes(name) ? cut(value, MAX_VALUE) : '…'}`,
		)
		.join('&');
	return (
		(routeId === null ? foreign(url.pathname) : known(routeId, url.pathname)) +
		(query && `?${query}`)
	);
}

/** A route with a parameter stands for itself: `/s/[token]`. */
function known(routeId: string, pathname: string): string {
	return routeId.includes('[') ? routeId : pathname;
}

function foreign(pathname: string): string {
	const parts = pathname.split('/').map((part) => (part.length > MAX_PART ? '…' : part));
	return cut(parts.join('/'), MAX_VALUE);
}

function cut(text: string, length: number): string {
	return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** @param all every line at `info` instead of `debug` */
export function createRequestLog(log: Logger, { all }: { all: boolean }): RequestLog {
	const level = all ? 'info' : 'debug';
	const writes = () => log.isLevelEnabled(level);
	return {
		answered(asked, status, since) {
			if (!writes()) return;
			const { requestId, method, routeId } = asked;
			const ms = Math.round((performance.now() - since) * 10) / 10;
			log[level](
				{ requestId, method, path: toLoggedPath(asked), route: routeId, status, ms },
				'request',
			);
		},
		streamed(requestId) {
			const since = performance.now();
			return (reason) => {
				if (!writes()) return;
				const seconds = Math.round((performance.now() - since) / 100) / 10;
				log[level]({ requestId, reason, seconds }, 'stream ended');
			};
		},
	};
}
