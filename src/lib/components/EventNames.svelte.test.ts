import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import type { ActivityEvent } from '../protocol';
import EventNames from './EventNames.svelte';

const toEvents = (names: string[]): ActivityEvent[] =>
	names.map((name, id) => ({
		id,
		eventId: '00000000-0000-4000-8000-000000000000',
		name,
		source: 'web',
		sessionId: null,
		properties: {},
		createdAt: '2026-03-01T12:00:00.000Z',
	}));
const rows = (container: HTMLElement) =>
	[...container.querySelectorAll('li')].map((row) => row.textContent?.replace(/\s+/g, ' ').trim());

test('the most frequent name comes first', async () => {
	const events = toEvents(['a', 'b', 'b', 'c']);
	const { container } = await render(EventNames, { props: { events } });
	expect(rows(container)).toEqual(['b 2', 'a 1', 'c 1']);
});

test('the rows add up to the events they are said to divide, rare names included', async () => {
	const names = Array.from({ length: 12 }, (_, index) =>
		Array(12 - index).fill(`n${index}`),
	).flat();
	const { container, getByText } = await render(EventNames, { props: { events: toEvents(names) } });
	await expect.element(getByText(`the newest ${names.length} events`)).toBeVisible();
	expect(rows(container)).toHaveLength(7);
	expect(rows(container).at(-1)).toMatch(/^6 other names/);
	const sum = [...container.querySelectorAll('li span:last-child')].reduce(
		(sum, cell) => sum + Number(cell.textContent),
		0,
	);
	expect(sum).toBe(names.length);
});
