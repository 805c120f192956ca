import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { refuse, ROUTES } from './access';

const ask = {
	routeId: '/api/demo',
	method: 'POST',
	origin: 'https://here',
	self: 'https://here',
	mayLook: true,
};

test('every route of the app has a rule, and every rule a route', () => {
	const files = readdirSync('src/routes', { recursive: true, encoding: 'utf8' });
	const routes = files
		.filter((file) => /(^|\/)\+(page\.svelte|server\.ts)$/.test(file.replaceAll('\\', '/')))
		.map((file) => `/${file.replaceAll('\\', '/').replace(/\/?\+[^/]+$/, '')}`);
	expect(Object.keys(ROUTES).sort()).toEqual([...new Set(routes)].sort());
});

test('a route without a rule is refused', () => {
	expect(refuse({ ...ask, routeId: '/new' })?.message).toBe('The route /new has no access rule.');
});

test('a page that does not exist is nobody’s secret', () => {
	expect(refuse({ ...ask, routeId: null, mayLook: false })).toBeNull();
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

test('who may not look is asked to log in, and to nothing else', () => {
	const refused = Object.entries(ROUTES)
		.filter(([routeId]) => refuse({ ...ask, routeId, method: 'GET', mayLook: false }))
		.map(([, access]) => access);
	expect(new Set(refused)).toEqual(new Set(['dashboard']));
	expect(refuse({ ...ask, mayLook: false })?.status).toBe(401);
});
