/**
 * Who may do what, decided in one place before any handler; what is not listed is refused. Pure.
 * A newcomer expects SvelteKit's own CSRF check: it is off (svelte.config.js), because it answers 403 to every beacon.
 */

export type Access = 'open' | 'ingest' | 'dashboard';

/** What each route asks for, by SvelteKit's route id. */
export const ROUTES: Readonly<Record<string, Access>> = {
	'/healthz': 'open',
	'/readyz': 'open',
	'/t.js': 'open',
	'/api/events': 'ingest',
	'/': 'dashboard',
	'/api/dashboard/stream': 'dashboard',
	'/api/dashboard/status': 'dashboard',
	'/api/demo': 'dashboard',
	'/design': 'dashboard',
};

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

export type Refusal = { status: 403; message: string };

/**
 * @param routeId null when no route matches: SvelteKit's 404 is harmless
 * @param origin the request's Origin header; @param self the origin the app is served from
 * @returns null when the request may pass
 */
export function refuse({
	routeId,
	method,
	origin,
	self,
	dashboardPublic,
}: {
	routeId: string | null;
	method: string;
	origin: string | null;
	self: string;
	dashboardPublic: boolean;
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
	if (!dashboardPublic)
		return {
			status: 403,
			message: 'This dashboard is not public. Set DASHBOARD_PUBLIC=true to let everyone look.',
		};
	return null;
}
