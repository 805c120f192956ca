/**
 * What SvelteKit calls: the start of the process (lib/server/runtime.ts wires it), the gate that every request passes, and
 * error logging. `vite dev` runs `init` again at every save of what this file imports and cleans up nothing, so the running
 * process is kept in one slot on globalThis.
 */
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
import { findViewer, hasToken } from '$lib/server/access/identify';
import { asksWho, isPreflight, needsLeave, refuse, type Refusal } from '$lib/server/access/policy';
import { VIEWER_COOKIE } from '$lib/server/access/viewer-cookie';
import { readEnv } from '$lib/server/config/env';
import { readAddress, toNetwork } from '$lib/server/http/client-address';
import { readRest } from '$lib/server/http/read-body';
import { toRenderOptions } from '$lib/server/http/render-options';
import { secureHeaders } from '$lib/server/http/secure-headers';
import { readKey } from '$lib/server/ingest/authorize';
import { toLoggedPath, toRequestId } from '$lib/server/monitoring/request-log';
import { startRuntime, type Runtime } from '$lib/server/runtime';

const slot = globalThis as { [key: symbol]: Runtime | undefined };
const RUNTIME = Symbol.for('nowboard.runtime');
/** The client has closed the connection; nginx logs it with this status. */
const CLIENT_GONE = 499;

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

/** Answers through the gate, logs the request, and reads what is left of its body. */
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
		const response = await pass(event, resolve, runtime);
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

/** The gate: slows down clients that keep being refused, finds the viewer, refuses or answers, and counts refusals. */
async function pass(
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
			return new Response(null, { status: CLIENT_GONE });
		}
	}

	const found = await findViewer(event, locals.login, env.dashboardPublic);

	const refusal = refuse({
		routeId: event.route.id,
		method: event.request.method,
		origin: event.request.headers.get('origin'),
		self: event.url.origin,
		dashboardPublic: env.dashboardPublic,
		hasLogin: locals.login !== null,
		viewer: found.viewer?.kind ?? null,
		isBound: (found.viewer?.filter.length ?? 0) > 0,
		mayMeasure: hasToken(event.request.headers, env.metricsToken),
	});
	if (refusal) {
		tarpit.refused(network);
		return secureHeaders(toResponse(refusal, event, runtime), isSecure);
	}

	Object.assign(event.locals, found, { network });
	const response = await resolve(event, toRenderOptions(event.url.pathname));
	if (response.status >= 400 && response.status < 500) tarpit.refused(network);
	return secureHeaders(response, isSecure);
}

/** Whether the request makes the server look something up for a client that may be refused. */
function needsLookup({ route, request }: RequestEvent, { env }: Runtime): boolean {
	return !isPreflight(route.id, request.method) && needsLeave(route.id, env);
}

/** Whether this process knows the session or key already. False says nothing: the database may know it. */
function isKnown({ request, cookies, url }: RequestEvent, { env, locals }: Runtime): boolean {
	const cookie = cookies.get(VIEWER_COOKIE);
	if (cookie !== undefined && locals.login?.viewers.knows(cookie)) return true;
	const key = readKey(request.headers, url.searchParams);
	if (key !== null && locals.keys.knows(key)) return true;
	return hasToken(request.headers, env.metricsToken);
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
