/**
 * Decides access for every route before any handler, and refuses routes that it does not list. Pure.
 * SvelteKit's own CSRF check is off (svelte.config.js), because it answers 403 to every beacon.
 */

/**
 * `open` and `ingest`: everyone, from anywhere. `login`: everyone, with changes from our own pages only. `dashboard`: viewers.
 * `whole`: viewers, but not by a share link with a filter. `settings`: viewers with the password, also where the dashboard is public.
 * `metrics`: requests with METRICS_TOKEN.
 */
export type Access = 'open' | 'ingest' | 'login' | 'dashboard' | 'whole' | 'settings' | 'metrics';

/** What each route asks for, by SvelteKit's route id. */
export const ROUTES: Readonly<Record<string, Access>> = {
	'/healthz': 'open',
	'/readyz': 'open',
	'/t.js': 'open',
	'/s/[token]': 'open',
	'/api/events': 'ingest',
	'/api/presence': 'ingest',
	'/login': 'login',
	'/logout': 'login',
	'/': 'dashboard',
	'/kiosk': 'dashboard',
	'/status': 'whole',
	'/api/dashboard/health': 'whole',
	'/api/dashboard/stream': 'dashboard',
	'/api/dashboard/status': 'dashboard',
	'/api/dashboard/history': 'dashboard',
	'/api/dashboard/values': 'dashboard',
	'/api/dashboard/before': 'dashboard',
	'/api/dashboard/events': 'dashboard',
	'/api/dashboard/session': 'dashboard',
	'/api/dashboard/people': 'dashboard',
	'/api/dashboard/moment': 'dashboard',
	'/api/tokens': 'dashboard',
	'/api/demo': 'dashboard',
	'/design': 'dashboard',
	'/settings': 'settings',
	'/metrics': 'metrics',
};

/** What takes a token in its address: EventSource sends no headers, and beside the stream stands the question why it ended. */
export const TOKEN_ROUTES: readonly string[] = ['/api/dashboard/stream', '/api/dashboard/status'];

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

export type Refusal = { status: 401 | 403 | 404; message: string };

/** Whether the answer depends on the viewer. Only then is the database asked. */
export function asksWho(routeId: string | null, dashboardPublic: boolean): boolean {
	const access = routeId === null ? undefined : ROUTES[routeId];
	if (access === 'dashboard' || access === 'whole') return !dashboardPublic;
	return access === 'settings' || routeId === '/logout';
}

/** Whether unauthenticated clients are refused there, after a lookup of a session, link, token or key. */
export function needsLeave(
	routeId: string | null,
	{ dashboardPublic, ingestOpen }: { dashboardPublic: boolean; ingestOpen: boolean },
): boolean {
	const access = routeId === null ? undefined : ROUTES[routeId];
	if (access === 'dashboard' || access === 'whole') return !dashboardPublic;
	if (access === 'ingest') return !ingestOpen;
	return access === 'settings' || access === 'metrics' || routeId === '/s/[token]';
}

/** A browser asks whether a page may send: nothing is looked up for that. On any other route a cookie or a token is, whatever the method. */
export function isPreflight(routeId: string | null, method: string): boolean {
	return method === 'OPTIONS' && routeId !== null && ROUTES[routeId] === 'ingest';
}

/**
 * @param routeId null when no route matches: SvelteKit's 404 is harmless
 * @param origin the request's Origin header; @param self the origin the app is served from
 * @param hasLogin whether a password is set
 * @param viewer the authenticated viewer
 * @param isBound the viewer's share link shows a part of the events only
 * @param mayMeasure the request has the token of METRICS_TOKEN
 * @returns null when the request may pass
 */
export function refuse({
	routeId,
	method,
	origin,
	self,
	dashboardPublic,
	hasLogin,
	viewer,
	isBound = false,
	mayMeasure,
}: {
	routeId: string | null;
	method: string;
	origin: string | null;
	self: string;
	dashboardPublic: boolean;
	hasLogin: boolean;
	viewer: 'session' | 'link' | null;
	isBound?: boolean;
	mayMeasure: boolean;
}): Refusal | null {
	if (routeId === null) return null;
	const access = ROUTES[routeId];
	if (access === 'open' || access === 'ingest') return null;
	if (!access) return { status: 403, message: `The route ${routeId} has no access rule.` };
	if (access === 'metrics')
		return mayMeasure
			? null
			: {
					status: 401,
					message: 'The metrics need "Authorization: Bearer" with what METRICS_TOKEN is set to.',
				};
	if (!SAFE_METHODS.includes(method) && origin !== self)
		return {
			status: 403,
			message: `The Origin ${origin ?? '(none)'} may not ${method} here; only ${self} may.`,
		};
	const isDashboard = access === 'dashboard' || access === 'whole';
	if (access === 'login' || (isDashboard && dashboardPublic)) return null;
	if (!hasLogin) return { status: 404, message: 'Settings need DASHBOARD_PASSWORD.' };
	if (viewer === null) return { status: 401, message: 'Log in to view this dashboard.' };
	if (access === 'whole' && isBound)
		return { status: 403, message: 'A share link with a filter does not open the status page.' };
	if (access === 'settings' && viewer !== 'session')
		return { status: 403, message: 'A share link is read-only. Log in to open settings.' };
	return null;
}
