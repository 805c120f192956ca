import { render } from 'svelte/server';
import { expect, test } from 'vitest';
import Dashboard from './Dashboard.svelte';

const at = '2026-03-01T12:00:00.000Z';
const totals = { pageViews: 1234, activeSessions: 56, eventsCount: 7890, eventsPerMinute: 99 };
const none = { rows: [], other: 0 };
const page = {
	totals,
	tables: {
		path: { rows: [{ key: '/pricing', count: 1234 }], other: 0 },
		referrer: none,
		name: none,
		country: none,
	},
	previous: null,
	series: {
		minutes: [-2, -1, 0].map((minute) => ({
			at: Date.parse(at) + minute * 60_000,
			events: 40,
			pageViews: 3,
			sessions: 2,
		})),
		seconds: [],
	},
	events: [
		{
			id: 1,
			eventId: '00000000-0000-4000-8000-000000000001',
			name: 'signup',
			source: 'web',
			sessionId: null,
			properties: { note: '<script>alert(1)</script>' },
			context: null,
			createdAt: at,
		},
	],
	arrivals: [{ id: 1, at: Date.parse(at) }],
	omitted: 0,
	now: Date.parse(at),
	running: false,
	origin: 'http://localhost:3000',
};

test('the server writes the figures, the line and the feed, so the page reads without JavaScript', () => {
	const { body } = render(Dashboard, { props: page });
	for (const text of ['1,234', '56', '7,890', 'signup', 'Events per minute', '/pricing'])
		expect(body).toContain(text);
	expect(body).toMatch(/<svg class="first[^>]*>.*?<path [^>]*d="M\d+ [\d.]+L/s);
	expect(body).not.toContain('number-flow');
});

test('what a sender wrote stays text in the HTML', () => {
	const { body } = render(Dashboard, { props: page });
	expect(body).toContain('&lt;script>');
	expect(body).not.toContain('<script>alert');
});

test('before the first event the server writes how to send one', () => {
	const { body } = render(Dashboard, { props: { ...page, events: [], arrivals: [] } });
	expect(body).toContain('curl http://localhost:3000/api/events');
	expect(body).not.toContain('role="log"');
});
