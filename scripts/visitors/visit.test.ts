import { expect, test } from 'vitest';
import { INGEST_LIMITS } from '../../src/lib/ingest-limits';
import { createRandom, pick } from './random';
import { ARRIVALS } from './site';
import { EVENTS_PER_VISIT, visit } from './visit';

function visits(seed: number, count: number) {
	const random = createRandom(seed);
	return Array.from({ length: count }, () => {
		const { arrival, landing } = pick(random, ARRIVALS);
		return { arrival, deeds: [...visit(random, arrival, landing)] };
	});
}

test('only the first page of a visit has a referrer', () => {
	for (const { arrival, deeds } of visits(1, 500)) {
		const views = deeds.map(({ event }) => event).filter(({ name }) => name === 'page_view');
		expect(deeds[0]?.event).toBe(views[0]);
		expect(views[0]?.properties).toMatchObject(arrival);
		for (const { properties } of views.slice(1)) {
			expect(Object.keys(properties)).toEqual(['url', 'path', 'title']);
		}
	}
});

test('a page view has the properties that t.js sends, and every event is within the limits of ingest', () => {
	const known = ['url', 'path', 'title', 'referrer', 'utm_source', 'utm_medium', 'utm_campaign'];
	for (const { deeds } of visits(2, 1_000)) {
		expect(new Set(deeds.map(({ event }) => event.sessionId)).size).toBe(1);
		for (const { event, pauseMs } of deeds) {
			expect(event.name.length).toBeLessThanOrEqual(INGEST_LIMITS.nameLength);
			expect(JSON.stringify(event.properties).length).toBeLessThan(500);
			expect(pauseMs).toBeGreaterThan(0);
			if (event.name !== 'page_view') continue;
			const { url, path } = event.properties;
			expect(new URL(String(url))).toMatchObject({ pathname: path, search: '' });
			expect(Object.keys(event.properties).filter((key) => !known.includes(key))).toEqual([]);
		}
	}
});

test('the site sends page views and sign-ups, the server of the product everything else', () => {
	const all = visits(3, 2_000).flatMap(({ deeds }) => deeds.map(({ event }) => event));
	const by = (source: string) =>
		[...new Set(all.filter((event) => event.source === source).map(({ name }) => name))].sort();
	expect(by('web')).toEqual(['page_view', 'signup']);
	expect(by('api')).toEqual(['error', 'note_created', 'note_shared', 'order', 'search']);
});

test('most of it is looking; sign-ups, orders and errors are a few per cent each', () => {
	const all = visits(4, 20_000).flatMap(({ deeds }) => deeds.map(({ event }) => event));
	const share = (name: string) => all.filter((event) => event.name === name).length / all.length;
	expect(share('page_view')).toBeGreaterThan(0.6);
	for (const name of ['signup', 'order', 'error']) {
		expect([name, share(name) > 0.01, share(name) < 0.06]).toEqual([name, true, true]);
	}
	expect(all.length / 20_000 / EVENTS_PER_VISIT).toBeCloseTo(1, 1);
});
