/**
 * What SvelteKit calls: the start of the process (lib/server/runtime.ts wires it), the gate that every request passes, and
 * error logging. `vite dev` runs `init` again at every save of what this file imports and cleans up nothing, so the running
 * process is kept in one slot on globalThis.
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
import { readRest } from '$lib/server/http/read-body';
import { toLoggedPath, toRequestId } from '$lib/server/monitoring/request-log';
import { startRuntime, type Runtime } from '$lib/server/runtime';
import { secureHeaders } from '$lib/server/http/secure-headers';
import { VIEWER_COOKIE } from '$lib/server/access/viewer-cookie';
import type { Viewer } from '$lib/server/access/viewer-rows';
import { THEME } from '$lib/theme';

/** Sets the theme before the first paint, so that nothing flashes. */
const THEME_SCRIPT = createInitialModeExpression(THEME);

/** What the first view is written in. Without a preload it is found when the styles have come, and the text moves. */
const FIRST_FONT = /instrument-sans-latin-wght-normal[^/]*\.woff2$/;

/** Addresses in a page are relative. Below a path, `/now` must be `/now/`; only the browser sees the difference. */
const SLASH_SCRIPT =
	"if(!location.pathname.endsWith('/'))location.replace(location.pathname+'/'+location.search+location.hash);";

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
	const log = (status: number) => {
		const { request, route, url } = event;
		const asked = { requestId, method: request.method, routeId: route.id, url };
		runtime.locals.requests.answered(asked, status, since);
	};
	try {
		const response = await answer(event, resolve, runtime);
		response.headers.set('x-request-id', requestId);
		if (!(await readRest(event.platform?.req))) response.headers.set('connection', 'close');
		log(response.status);
		return response;
	} catch (thrown) {
		// SvelteKit makes a response of it
		await readRest(event.platform?.req);
		log(isHttpError(thrown) || isRedirect(thrown) ? thrown.status : 500);
		throw thrown;
	}
};

/** The gate: slow down, find out who asks, refuse or answer, remember refusals. */
async function answer(
	event: RequestEvent,
	resolve: Parameters<Handle>[0]['resolve'],
	runtime: Runtime,
): Promise<Response> {
	const { env, locals, tarpit } = runtime;
	const network = toNetwork(readAddress(event.getClientAddress));
	const isSecure = event.url.protocol === 'https:';

	if (needsLookup(event, runtime) && !isKnown(event, runtime)) {
		const socket = event.platform?.req?.socket;
		await tarpit.wait(network, socket);
		if (socket?.destroyed) {
			tarpit.refused(network);
			return new Response(null, { status: 499 });
		}
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
		isBound: (viewer?.filter.length ?? 0) > 0,
		mayMeasure: hasToken(event.request, env.metricsToken),
	});
	if (refusal) {
		tarpit.refused(network);
		return secureHeaders(toResponse(refusal, event, runtime), isSecure);
	}

	Object.assign(event.locals, { viewer, tokenEndsAt, network });
	const response = await resolve(event, {
		preload: ({ type, path }) => type === 'js' || type === 'css' || FIRST_FONT.test(path),
		transformPageChunk: ({ html }) =>
			html.replace(
				'%nowboard.theme%',
				event.url.pathname === '/' ? SLASH_SCRIPT + THEME_SCRIPT : THEME_SCRIPT,
			),
	});
	if (response.status >= 400 && response.status < 500) tarpit.refused(network);
	return secureHeaders(response, isSecure);
}

/** Whether the request makes the server look something up for a client that may be refused. */
function needsLookup({ route, request }: RequestEvent, { env }: Runtime): boolean {
	return !isPreflight(route.id, request.method) && needsLeave(route.id, env);
}

/** Browsers are redirected to /login or get an error page; API clients get JSON. */
function toResponse(
	{ status, message }: Refusal,
	{ request, route, url, locals: { requestId } }: RequestEvent,
	{ env, locals }: Runtime,
): Response {
	const isPage = request.headers.get('accept')?.includes('text/html');
	if (!isPage) return json({ message, requestId }, { status });
	if (status !== 401 || !locals.login || !asksWho(route.id, env.dashboardPublic))
		error(status, { message, requestId });
	const location = `${env.basePath}/login?to=${encodeURIComponent(url.pathname + url.search)}`;
	return new Response(null, { status: 303, headers: { location } });
}

/** Whether this process knows the session or key already. False says nothing: the database may know it. */
function isKnown({ request, cookies, url }: RequestEvent, { env, locals }: Runtime): boolean {
	const cookie = cookies.get(VIEWER_COOKIE);
	if (cookie !== undefined && locals.login?.viewers.knows(cookie)) return true;
	const key = readKey(request.headers, url.searchParams);
	if (key !== null && locals.keys.knows(key)) return true;
	return hasToken(request, env.metricsToken);
}

/** Compares hashes, so that the time it takes tells nothing about the token. */
function hasToken(request: Request, token: string | null): boolean {
	const given = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
	if (token === null || given === undefined) return false;
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(given), digest(token));
}

/** Queries the database only for routes whose response depends on the viewer. */
async function findViewer(
	event: RequestEvent,
	{ env, locals }: Runtime,
): Promise<{ viewer: Viewer | null; tokenEndsAt: number | null }> {
	const none = { viewer: null, tokenEndsAt: null };
	const { id } = event.route;
	if (!locals.login || !asksWho(id, env.dashboardPublic)) return none;
	const { viewers, tokens } = locals.login;
	const cookie = event.cookies.get(VIEWER_COOKIE);
	const token = TOKEN_ROUTES.includes(id ?? '') ? event.url.searchParams.get('token') : null;
	try {
		if (token === null)
			return cookie ? { viewer: await viewers.find(cookie), tokenEndsAt: null } : none;
		const read = await tokens.read(token);
		if (!read) return none;
		return { viewer: await viewers.find(read.own), tokenEndsAt: read.expiresAt };
	} catch {
		error(503, 'Cannot check your login right now: the database is not responding.');
	}
}

/** Does not log client errors, and redacts secrets (share-link tokens) in logged paths. */
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
