import { expect, test } from 'vitest';
import { INGEST_LIMITS } from '../src/lib/protocol';
import { createRandom } from './random';
import { createVisitors } from './visitors';

function visit(seed: number, count: number) {
	const next = createVisitors(createRandom(seed));
	return Array.from({ length: count }, next);
}

test('the same seed gives the same visitors, another seed gives others', () => {
	expect(visit(7, 500)).toEqual(visit(7, 500));
	expect(visit(7, 500)).not.toEqual(visit(8, 500));
});

test('visitors do what visitors do: mostly looking, sometimes signing up, buying or failing', () => {
	const events = visit(1, 5_000);
	const share = (name: string) => events.filter((event) => event.name === name).length / 5_000;
	expect(share('page_view')).toBeGreaterThan(0.6);
	for (const name of ['signup', 'order', 'error', 'note_created', 'search']) {
		expect([name, share(name) > 0.002, share(name) < 0.2]).toEqual([name, true, true]);
	}
	const sessions = new Set(events.map(({ sessionId }) => sessionId)).size;
	expect(events.length / sessions).toBeGreaterThan(2);
	expect(events.length / sessions).toBeLessThan(20);
});

test('a page view says what ours say, and every event is within the limits of ingest', () => {
	const events = visit(2, 2_000);
	for (const { name, sessionId, properties } of events) {
		expect(name.length).toBeLessThanOrEqual(INGEST_LIMITS.nameLength);
		expect(sessionId).toMatch(
			/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
		);
		expect(JSON.stringify(properties).length).toBeLessThan(500);
		if (name === 'page_view') {
			const url = new URL(String(properties.url));
			expect(properties).toMatchObject({ path: url.pathname, title: expect.any(String) });
			expect(url.searchParams.get('utm_source') ?? undefined).toBe(properties.utm_source);
		}
	}
	expect(events.some(({ properties }) => properties.referrer)).toBe(true);
	expect(events.some(({ properties }) => properties.utm_source)).toBe(true);
});
