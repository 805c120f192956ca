/**
 * Who may do what, decided in one place before any handler; what is not listed is refused. Pure.
 * A newcomer expects SvelteKit's own CSRF check: it is off (svelte.config.js), because it answers 403 to every beacon.
 */

/** `login`: everyone, and changes from our own pages only. `dashboard`: who may look. */
export type Access = 'open' | 'ingest' | 'login' | 'dashboard';

/** What each route asks for, by SvelteKit's route id. */
export const ROUTES: Readonly<Record<string, Access>> = {
	'/healthz': 'open',
	'/readyz': 'open',
	'/t.js': 'open',
	'/api/events': 'ingest',
	'/login': 'login',
	'/logout': 'dashboard',
	'/': 'dashboard',
	'/api/dashboard/stream': 'dashboard',
	'/api/dashboard/status': 'dashboard',
	'/api/demo': 'dashboard',
	'/design': 'dashboard',
};

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

export type Refusal = { status: 401 | 403; message: string };

/** Whether the answer depends on who asks. */
export function asksWho(routeId: string | null): boolean {
	return routeId !== null && ROUTES[routeId] === 'dashboard';
}

/**
 * @param routeId null when no route matches: SvelteKit's 404 is harmless
 * @param origin the request's Origin header; @param self the origin the app is served from
 * @param mayLook the dashboard is public, or whoever asks has logged in
 * @returns null when the request may pass
 */
export function refuse({
	routeId,
	method,
	origin,
	self,
	mayLook,
}: {
	routeId: string | null;
	method: string;
	origin: string | null;
	self: string;
	mayLook: boolean;
}): Refusal | null {
	if (routeId === null) return null;
	const access = ROUTES[routeId];
	if (access === 'open' || access === 'ingest') return null;
	if (!access) return { status: 403, message: `The route ${routeId} has no access rule.` };
	if (!SAFE_METHODS.includes(method) && origin !== self)
		return {
			status: 403,
			message: `The Origin ${origin ?? '(none)'} may not ${method} here; only ${self} may.`,
		};
	if (access === 'dashboard' && !mayLook)
		return { status: 401, message: 'This dashboard asks for a login.' };
	return null;
}
