import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { asksWho, isPreflight, needsLeave, refuse, ROUTES } from './policy';

const ask = {
	routeId: '/api/demo',
	method: 'POST',
	origin: 'https://here',
	self: 'https://here',
	dashboardPublic: true,
	hasLogin: true,
	viewer: null,
	mayMeasure: false,
};

/** Whatever SvelteKit makes a route of: a page with any layout or none of its own, its load alone, an endpoint. Not layouts and errors. */
function toRoutes(files: readonly string[]): string[] {
	const routes = files
		.map((file) => file.replaceAll('\\', '/'))
		.filter((file) => /(^|\/)\+(page|server)([.@][^/]*)?\.(svelte|[jt]s)$/.test(file))
		.map((file) => `/${file.replace(/\/?\+[^/]+$/, '')}`);
	return [...new Set(routes)].sort();
}

test('every route of the app has a rule, and every rule a route', () => {
	const files = readdirSync('src/routes', { recursive: true, encoding: 'utf8' });
	expect(Object.keys(ROUTES).sort()).toEqual(toRoutes(files));
});

test('(control) a route is one by any of the files that make it', () => {
	const made = ['+page.svelte', '+page@.svelte', '+page@group.svelte', '+page@(group).svelte'];
	const loads = ['+page.ts', '+page.js', '+page.server.ts', '+page.server.js'];
	for (const name of [...made, ...loads, '+server.ts', '+server.js'])
		expect(toRoutes([`a\\[b]/${name}`, name]), name).toEqual(['/', '/a/[b]']);
	const none = ['+layout.svelte', '+layout@.svelte', '+layout.server.ts', '+error.svelte'];
	const beside = ['server.test.ts', 'page.svelte', 'Live.svelte', '+page.svelte.test', '+pages.ts'];
	expect(toRoutes([...none, ...beside])).toEqual([]);
});

test('only a preflight of ingest needs no lookup', () => {
	const free = Object.keys(ROUTES).filter((route) => isPreflight(route, 'OPTIONS'));
	expect(free).toEqual(['/api/events', '/api/presence']);
	expect(free.filter((route) => asksWho(route, false))).toEqual([]);
	expect(Object.keys(ROUTES).filter((route) => isPreflight(route, 'GET'))).toEqual([]);
	expect(isPreflight(null, 'OPTIONS')).toBe(false);
});

test('(control) by the method alone, looking sessions up would be free', () => {
	const closed = { dashboardPublic: false, ingestOpen: false };
	const asked = Object.keys(ROUTES).filter((route) => asksWho(route, false));
	expect(asked.filter((route) => needsLeave(route, closed))).toContain('/api/dashboard/status');
});

test('a route without a rule is refused', () => {
	expect(refuse({ ...ask, routeId: '/new' })?.message).toBe('The route /new has no access rule.');
});

test('unknown routes return 404 without login', () => {
	expect(refuse({ ...ask, routeId: null, dashboardPublic: false })).toBeNull();
});

describe('the origin', () => {
	test.each([
		['our own', 'https://here', null],
		['another', 'https://there', 403],
		['none', null, 403],
		['"null", as from a sandbox', 'null', 403],
	])('a change from %s origin', (_, origin, status) => {
		expect(refuse({ ...ask, origin })?.status ?? null).toBe(status);
	});
	test('looking is allowed from anywhere', () => {
		expect(refuse({ ...ask, method: 'GET', origin: 'https://there' })).toBeNull();
	});
	test('ingest is called from every site', () => {
		expect(refuse({ ...ask, routeId: '/api/events', origin: 'https://there' })).toBeNull();
	});
});

describe('who may do what', () => {
	const reached = (viewer: 'session' | 'link' | null, dashboardPublic: boolean) =>
		Object.entries(ROUTES)
			.filter(([routeId]) => !refuse({ ...ask, routeId, method: 'GET', dashboardPublic, viewer }))
			.map(([, access]) => access);
	test.each([
		['no viewer', null, false, ['open', 'ingest', 'login']],
		[
			'no viewer, on a public dashboard',
			null,
			true,
			['open', 'ingest', 'login', 'dashboard', 'whole'],
		],
		['a share link', 'link', false, ['open', 'ingest', 'login', 'dashboard', 'whole']],
		['a session', 'session', false, ['open', 'ingest', 'login', 'dashboard', 'whole', 'settings']],
	] as const)('%s', (_, viewer, dashboardPublic, kinds) => {
		expect(new Set(reached(viewer, dashboardPublic))).toEqual(new Set(kinds));
	});

	test('a share link that shows a part is refused what is about everything', () => {
		const bound = {
			...ask,
			method: 'GET',
			hasLogin: true,
			dashboardPublic: false,
			viewer: 'link',
			isBound: true,
		} as const;
		const refused = Object.keys(ROUTES).filter((routeId) =>
			refuse({ ...bound, routeId })?.message.includes('with a filter'),
		);
		expect(refused).toEqual(['/status', '/api/dashboard/health']);
	});

	test('metrics require their token', () => {
		const metrics = { ...ask, routeId: '/metrics', method: 'GET', viewer: 'session' } as const;
		expect(refuse(metrics)?.status).toBe(401);
		expect(refuse({ ...metrics, viewer: null, mayMeasure: true })).toBeNull();
	});

	test('who is not known is asked, who is known and may not is told', () => {
		const settings = { ...ask, routeId: '/settings', method: 'GET' };
		expect([
			refuse({ ...settings })?.status,
			refuse({ ...settings, viewer: 'link' })?.status,
			// without a password, a redirect to the login would loop
			refuse({ ...settings, hasLogin: false })?.status,
		]).toEqual([401, 403, 404]);
	});
});
