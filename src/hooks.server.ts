/**
 * What SvelteKit calls: the start of the process (lib/server/runtime.ts wires it), who may pass, and what is said of errors.
 * `vite dev` runs `init` again at every save of what this file imports and cleans up nothing: the stop of the previous
 * run waits in one slot on globalThis.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { building } from '$app/environment';
import {
	error,
	isHttpError,
	isRedirect,
	json,
	type Handle,
	type HandleServerError,
	type RequestEvent,
	type ServerInit,
} from '@sveltejs/kit';
import { createInitialModeExpression } from 'mode-watcher';
import {
	asksWho,
	isPreflight,
	needsLeave,
	refuse,
	TOKEN_ROUTES,
	type Refusal,
} from '$lib/server/access/policy';
import { readAddress, toNetwork } from '$lib/server/http/client-address';
import { readEnv } from '$lib/server/config/env';
import { readKey } from '$lib/server/ingest/authorize';
import { closeUnlessWhole, readOut } from '$lib/server/http/lingering-close';
import { toLoggedPath, toRequestId } from '$lib/server/monitoring/request-log';
import { startRuntime, type Runtime } from '$lib/server/runtime';
import { secureHeaders } from '$lib/server/http/secure-headers';
import { VIEWER_COOKIE } from '$lib/server/access/viewer-cookie';
import type { Viewer } from '$lib/server/access/viewers';
import { THEME } from '$lib/theme';

/** Sets the theme before the first paint, so that nothing flashes. */
const THEME_SCRIPT = createInitialModeExpression(THEME);

const slot = globalThis as { [key: symbol]: Runtime | undefined };
const RUNTIME = Symbol.for('nowboard.runtime');

export const init: ServerInit = async () => {
	if (building) return;
	await slot[RUNTIME]?.stop();
	const read = readEnv(process.env);
	if (!read.ok) {
		console.error(read.errors.join('\n'));
		process.exit(1);
	}
	slot[RUNTIME] = startRuntime(read.env);
};

export const handle: Handle = async ({ event, resolve }) => {
	const runtime = slot[RUNTIME];
	if (!runtime) error(503, 'The server is starting.');
	const since = performance.now();
	const requestId = toRequestId(event.request.headers.get('x-request-id'));
	Object.assign(event.locals, runtime.locals, { requestId });
	const answered = (status: number) => {
		const { request, route, url } = event;
		const asked = { requestId, method: request.method, routeId: route.id, url };
		runtime.locals.requests.answered(asked, status, since);
	};
	try {
		const response = await answer(event, resolve, runtime);
		response.headers.set('x-request-id', requestId);
		closeUnlessWhole(response, event.platform?.req);
		answered(response.status);
		return response;
	} catch (thrown) {
		// SvelteKit makes an answer of it
		answered(isHttpError(thrown) || isRedirect(thrown) ? thrown.status : 500);
		throw thrown;
	}
};

async function answer(
	event: RequestEvent,
	resolve: Parameters<Handle>[0]['resolve'],
	runtime: Runtime,
): Promise<Response> {
	const { env, locals, tarpit } = runtime;
	const isSecure = event.url.protocol === 'https:';
	const network = toNetwork(readAddress(event.getClientAddress));
	const socket = event.platform?.req?.socket;
	const isStranger =
		!isPreflight(event.route.id, event.request.method) &&
		needsLeave(event.route.id, env) &&
		!isKnown(event, runtime);
	const hasWaited = isStranger && (await tarpit.enter(network, socket));
	async function putOff() {
		await readOut(event.platform?.req);
		await tarpit.refuse(network, hasWaited);
	}
	if (hasWaited && socket?.destroyed) {
		await tarpit.refuse(network, hasWaited);
		return new Response(null, { status: 400 });
	}
	const { viewer, tokenEndsAt } = await findViewer(event, runtime);
	const refusal = refuse({
		routeId: event.route.id,
		method: event.request.method,
		origin: event.request.headers.get('origin'),
		self: event.url.origin,
		dashboardPublic: env.dashboardPublic,
		hasLogin: locals.login !== null,
		viewer: viewer?.kind ?? null,
		mayMeasure: hasToken(event.request, env.metricsToken),
	});
	if (refusal) {
		await putOff();
		return secureHeaders(toResponse(refusal, event, runtime), isSecure);
	}
	Object.assign(event.locals, { viewer, tokenEndsAt });
	const response = await resolve(event, {
		transformPageChunk: ({ html }) => html.replace('%nowboard.theme%', THEME_SCRIPT),
	});
	if (response.status >= 400 && response.status < 500) await putOff();
	return secureHeaders(response, isSecure);
}

/** A page that was opened is sent to where one says who one is, or is an error page; a script is told. */
function toResponse(
	{ status, message }: Refusal,
	{ request, route, url, locals: { requestId } }: RequestEvent,
	{ env, locals }: Runtime,
): Response {
	const isPage = request.headers.get('accept')?.includes('text/html');
	if (!isPage) return json({ message, requestId }, { status });
	if (status !== 401 || !locals.login || !asksWho(route.id, env.dashboardPublic))
		error(status, { message, requestId });
	const location = `/login?to=${encodeURIComponent(url.pathname + url.search)}`;
	return new Response(null, { status: 303, headers: { location } });
}

/** Known without asking the database; whoever is not may be, all the same. */
function isKnown({ request, cookies, url }: RequestEvent, { env, locals }: Runtime): boolean {
	const cookie = cookies.get(VIEWER_COOKIE);
	if (cookie !== undefined && locals.login?.viewers.knows(cookie)) return true;
	const key = readKey(request.headers, url.searchParams);
	if (key !== null && locals.keys.knows(key)) return true;
	return hasToken(request, env.metricsToken);
}

/** Compared as hashes: how long that takes says nothing about the token. */
function hasToken(request: Request, token: string | null): boolean {
	const given = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
	if (token === null || given === undefined) return false;
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(given), digest(token));
}

/** Asked only where it matters: ingest and health need no database for it. */
async function findViewer(
	event: RequestEvent,
	{ env, locals }: Runtime,
): Promise<{ viewer: Viewer | null; tokenEndsAt: number | null }> {
	const nobody = { viewer: null, tokenEndsAt: null };
	const { id } = event.route;
	if (!locals.login || !asksWho(id, env.dashboardPublic)) return nobody;
	const { viewers, tokens } = locals.login;
	const cookie = event.cookies.get(VIEWER_COOKIE);
	const token = TOKEN_ROUTES.includes(id ?? '') ? event.url.searchParams.get('token') : null;
	try {
		if (token === null)
			return cookie ? { viewer: await viewers.find(cookie), tokenEndsAt: null } : nobody;
		const read = await tokens.read(token);
		if (!read) return nobody;
		return { viewer: await viewers.find(read.own), tokenEndsAt: read.expiresAt };
	} catch {
		error(503, 'Whether you may look cannot be known: Postgres is not answering.');
	}
}

/** What a client got wrong is no error of ours; and of a path only what is no secret is written down, for a share link's is one. */
export const handleError: HandleServerError = ({ error, event, status, message }) => {
	const { requestId } = event.locals;
	const path = toLoggedPath({ routeId: event.route.id, url: event.url });
	if (status >= 500)
		slot[RUNTIME]?.log.error(
			{ requestId, err: error, method: event.request.method, path },
			message,
		);
	return { message, requestId };
};
