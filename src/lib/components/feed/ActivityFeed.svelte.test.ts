import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import type { ActivityEvent, Json } from '../../protocol';
import ActivityFeed, { GROUP_ROWS } from './ActivityFeed.svelte';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');

function toEvent(id: number, properties: { [key: string]: Json } = {}): ActivityEvent {
	return {
		id,
		eventId: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
		name: `event_${id}`,
		source: 'web',
		sessionId: null,
		properties,
		context: null,
		createdAt: new Date(NOW - (100 - id) * 1_000).toISOString(),
	};
}

/** Newest first, as the store hands them over. */
const newestFirst = (...ids: number[]) => ids.map((id) => toEvent(id)).sort((a, b) => b.id - a.id);
const range = (from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, index) => from + index);
const names = (container: HTMLElement) =>
	[...container.querySelectorAll('.name')].map((name) => name.textContent);
const fresh = (container: HTMLElement) => container.querySelectorAll('.fresh').length;

test('the newest event stands first, in a log', async () => {
	const { container, getByRole } = await render(ActivityFeed, {
		props: {
			events: newestFirst(1, 2, 3),
			now: NOW,
		},
	});
	await expect.element(getByRole('log', { name: 'Live feed' })).toBeVisible();
	expect(names(container)).toEqual(['event_3', 'event_2', 'event_1']);
});

test('only what arrives while the page is open is marked as new', async () => {
	const { container, rerender } = await render(ActivityFeed, {
		props: {
			events: newestFirst(1, 2),
			now: NOW,
		},
	});
	expect(fresh(container)).toBe(0);
	await rerender({ events: newestFirst(1, 2, 3) });
	await expect.poll(() => names(container)[0]).toBe('event_3');
	expect(fresh(container)).toBe(1);
});

test('while nothing is heard, rows say when, not how long ago', async () => {
	const { container, rerender } = await render(ActivityFeed, {
		props: { events: newestFirst(1, 2), now: NOW },
	});
	const times = () => [...container.querySelectorAll('time')].map((time) => time.textContent);
	for (const time of times()) expect(time).toMatch(/now|ago/);
	await rerender({ stale: true });
	for (const time of times()) expect(time).toMatch(/^\d\d:\d\d:\d\d$/);
});

test('markup in properties is text', async () => {
	const attack = '<img src=x onerror="window.attacked = true">';
	const events = [toEvent(1, { note: attack, [attack]: 'key', nested: { deep: attack } })];
	const { container } = await render(ActivityFeed, { props: { events, now: NOW } });
	container.querySelector('summary')?.click();
	await expect.poll(() => container.querySelector('dl')?.textContent).toContain(attack);
	expect(container.querySelector('img')).toBeNull();
	expect('attacked' in window).toBe(false);
});

test('an opened row shows every property in full, and the time to the millisecond', async () => {
	const long = 'x'.repeat(400);
	const { container } = await render(ActivityFeed, {
		props: {
			events: [toEvent(1, { long, list: [1, 2], none: null })],
			now: NOW,
		},
	});
	container.querySelector('summary')?.click();
	await expect.poll(() => container.querySelector('dl')?.textContent).toContain(long);
	const text = container.querySelector('dl')?.textContent?.replace(/\s+/g, ' ');
	expect(text).toContain('none null');
	expect(text).toContain('11:58:21.000');
});

test('many at once enter as one group and are counted', async () => {
	const { container, rerender, getByText } = await render(ActivityFeed, {
		props: {
			events: newestFirst(...range(1, 3)),
			now: NOW,
		},
	});
	await rerender({ events: newestFirst(...range(1, 3 + GROUP_ROWS)) });
	await expect.element(getByText(`+${GROUP_ROWS}`)).toBeInTheDocument();
	const log = container.querySelector('[role=log]');
	expect(log?.querySelector('ol')?.getAnimations()).toEqual([]);
	// no screen reader can read at this rate
	expect(log?.getAttribute('aria-live')).toBe('off');
});

test('while rows come fast they are gathered, and none is left out', async () => {
	const { container, rerender } = await render(ActivityFeed, {
		props: { events: newestFirst(1), now: NOW },
	});
	const seen: number[] = [];
	const observer = new MutationObserver(() => seen.push(names(container).length));
	observer.observe(container, { childList: true, subtree: true });
	for (let newest = 2; newest <= 19; newest += 1) {
		await rerender({ events: newestFirst(...range(1, newest)) });
	}
	await expect.poll(() => names(container).length).toBe(19);
	observer.disconnect();
	// eighteen frames, far fewer beats
	expect(new Set(seen).size).toBeLessThan(12);
});

test('a row that is being read is not pushed away', async () => {
	const { container, rerender, getByRole } = await render(ActivityFeed, {
		props: {
			events: newestFirst(1, 2),
			now: NOW,
		},
	});
	container.querySelector('summary')?.click();
	await expect.poll(() => container.querySelector('dl')).not.toBeNull();
	await rerender({ events: newestFirst(1, 2, 3, 4) });
	await expect.element(getByRole('button', { name: 'Show 2 newer' })).toBeVisible();
	expect(names(container)[0]).toBe('event_2');

	await getByRole('button', { name: 'Show 2 newer' }).click();
	await expect.poll(() => names(container)[0]).toBe('event_4');
	expect(container.querySelector('dl')).toBeNull();
});

test('the list is bounded at a glance and shows all when asked', async () => {
	const { container, getByRole } = await render(ActivityFeed, {
		props: {
			events: newestFirst(...range(1, 50)),
			now: NOW,
		},
	});
	expect(names(container)).toHaveLength(20);
	await getByRole('button', { name: 'Show all 50' }).click();
	await expect.poll(() => names(container).length).toBe(50);
});

test('says how many events arrived too fast to list', async () => {
	const { getByText } = await render(ActivityFeed, {
		props: {
			events: newestFirst(1),
			now: NOW,
			omitted: 1204,
		},
	});
	await expect.element(getByText(/1,204 more events arrived too fast to list/)).toBeVisible();
});

test('addresses are shown decoded, whatever was sent', async () => {
	const properties = { path: '/%c3%bcber-uns', referrer: 'https://x.example/%E4%BD%A0' };
	const { container } = await render(ActivityFeed, {
		props: { events: [toEvent(1, properties)], now: NOW },
	});
	const shown = container.querySelector('.preview')?.textContent;
	expect(shown).toContain('/über-uns');
	expect(shown).toContain('https://x.example/你');
});

test.each([300, 390, 700, 1_200])('a row of %d px ends in one ellipsis', async (width) => {
	const text = 'a rather long text '.repeat(8);
	const { container } = await render(ActivityFeed, {
		props: { events: [toEvent(1, { path: text, title: text, plan: text })], now: NOW },
	});
	container.style.width = `${width}px`;
	const cut = [...container.querySelectorAll('.preview, .preview *')].filter(
		(element) =>
			getComputedStyle(element).textOverflow === 'ellipsis' &&
			element.scrollWidth > element.clientWidth,
	);
	expect(cut.map(({ className }) => className.split(' ')[0])).toEqual(['preview']);
});
