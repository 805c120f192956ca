import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { NotNowError } from '../../feed';
import type { ActivityEvent, Json } from '../../protocol';
import ActivityFeed from './ActivityFeed.svelte';
import { GROUP_ROWS } from './rows.svelte';

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
	await expect.element(getByRole('button', { name: 'Show 2 new' })).toBeVisible();
	expect(names(container)[0]).toBe('event_2');

	await getByRole('button', { name: 'Show 2 new' }).click();
	await expect.poll(() => names(container)[0]).toBe('event_4');
	expect(container.querySelector('dl')).toBeNull();
});

/** A page of older events, as the server answers it. */
const toPage = (ids: number[], next: string | null) => ({
	events: ids.map((id) => toEvent(id)),
	next,
	through: new Date(NOW - 100_000).toISOString(),
});
const box = (container: HTMLElement) => container.querySelector<HTMLElement>('.feed-box')!;
const shown = (container: HTMLElement) => names(container).map((name) => Number(name?.slice(6)));

test('of thousands only rows in sight are in the document, and each can be scrolled to', async () => {
	const { container } = await render(ActivityFeed, {
		props: { events: newestFirst(...range(1, 5_000)), now: NOW },
	});
	expect(names(container).length).toBeLessThan(60);
	expect(shown(container)[0]).toBe(5_000);
	box(container).scrollTop = box(container).scrollHeight;
	await expect.poll(() => shown(container).at(-1)).toBe(1);
	expect(names(container).length).toBeLessThan(60);
	box(container).scrollTop = 0;
	await expect.poll(() => shown(container)[0]).toBe(5_000);
});

test('scrolled away it stands still and counts, and one press shows everything', async () => {
	const { container, rerender, getByRole } = await render(ActivityFeed, {
		props: { events: newestFirst(...range(1, 200)), now: NOW },
	});
	box(container).scrollTop = 1_500;
	await expect.element(getByRole('button', { name: 'Back to top' })).toBeVisible();
	const before = shown(container);
	const place = container.querySelectorAll('summary')[12]!.getBoundingClientRect().top;
	await rerender({ events: newestFirst(...range(1, 237)) });
	await expect.element(getByRole('button', { name: 'Show 37 new' })).toBeVisible();
	expect(shown(container)).toEqual(before);
	expect(container.querySelectorAll('summary')[12]!.getBoundingClientRect().top).toBe(place);
	expect(container.querySelector('[role=log]')?.getAttribute('aria-live')).toBe('off');
	container.querySelector<HTMLElement>('summary')!.focus();
	container
		.querySelector('summary')!
		.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true }));
	await expect.poll(() => shown(container)[0]).toBe(237);
	expect(box(container).scrollTop).toBe(0);
	expect(document.activeElement?.textContent).toContain('event_237');
});

test('a row above that changes its height leaves the others where they are', async () => {
	const nested = { deep: Object.fromEntries(range(1, 30).map((n) => [`k${n}`, n])) };
	const events = [toEvent(100, nested), ...newestFirst(...range(1, 99))];
	const { container } = await render(ActivityFeed, { props: { events, now: NOW } });
	const list = container.querySelector('ol')!;
	const closed = list.offsetHeight;
	container.querySelector('summary')!.click();
	await expect.poll(() => container.querySelectorAll('li.tall dl').length).toBeGreaterThan(1);
	const tall = container.querySelector<HTMLElement>('li.tall')!;
	// the list has measured it, which takes a frame
	await expect.poll(() => list.offsetHeight - closed).toBeGreaterThan(500);
	// past it, but near enough that it is still in the document
	box(container).scrollTop = tall.getBoundingClientRect().height + 60;
	const row = () => container.querySelectorAll('li')[4]!.getBoundingClientRect().top;
	await expect.poll(() => box(container).scrollTop).toBeGreaterThan(500);
	const place = row();
	const height = tall.getBoundingClientRect().height;
	tall.querySelector<HTMLDetailsElement>('.nested')!.open = false;
	await expect.poll(() => tall.getBoundingClientRect().height).toBeLessThan(height - 400);
	await expect.poll(() => Math.abs(row() - place)).toBeLessThan(1);
});

test('older events follow without gap or repeat, under the filter, to the end', async () => {
	const asked: string[] = [];
	const pages = [toPage(range(41, 60).reverse(), '7.41'), toPage(range(1, 42).reverse(), null)];
	const { container, getByRole, getByText, rerender } = await render(ActivityFeed, {
		props: {
			events: newestFirst(...range(60, 70)),
			now: NOW,
			filter: ['name:x'],
			readOlder: async (query: URLSearchParams) => {
				asked.push(String(query));
				return pages.shift()!;
			},
		},
	});
	await getByRole('button', { name: 'Load older events' }).click();
	await expect.element(getByText('There are no older events.')).toBeInTheDocument();
	expect(asked).toEqual(['f=name%3Ax&before=60', 'f=name%3Ax&before=7.41']);
	// an event that was committed late is in a page first, and comes live too
	await rerender({ events: newestFirst(3, ...range(60, 71)) });
	await expect.poll(() => shown(container)[0]).toBe(71);
	const all = new Set<number>();
	for (let top = 0; top < 4_000; top += 300) {
		box(container).scrollTop = top;
		await new Promise((resolve) => requestAnimationFrame(resolve));
		for (const id of shown(container)) all.add(id);
	}
	expect([...all].sort((a, b) => a - b)).toEqual(range(1, 71));
});

test('a busy server is asked again for older events; what it refuses for good is not', async () => {
	const refusals = [
		new NotNowError(5, 'busy'),
		new NotNowError(5, 'busy'),
		new Error('no such place'),
	];
	let asked = 0;
	const { container, getByRole, getByText } = await render(ActivityFeed, {
		props: {
			events: newestFirst(3),
			now: NOW,
			filter: ['name:x'],
			readOlder: async () => {
				asked++;
				const refusal = refusals.shift();
				if (refusal) throw refusal;
				return toPage([2, 1], null);
			},
		},
	});
	await getByRole('button', { name: 'Load older events' }).click();
	await expect.element(getByText('Older events could not be loaded.')).toBeInTheDocument();
	expect(asked).toBe(3);
	refusals.push(new NotNowError(5, 'busy'));
	await getByRole('button', { name: 'Try again' }).click();
	await expect.poll(() => shown(container)).toEqual([3, 2, 1]);
	expect(asked).toBe(5);
});

test('a search narrows what is loaded at once and goes on in the table until it is stopped', async () => {
	const asked: string[] = [];
	let aborted = false;
	const { container, getByRole, getByText } = await render(ActivityFeed, {
		props: {
			events: [toEvent(3, { plan: 'Pro' }), toEvent(2, { deep: [{ x: 'PROMO' }] }), toEvent(1)],
			now: NOW,
			readOlder: async (query: URLSearchParams, signal: AbortSignal) => {
				asked.push(String(query));
				if (asked.length === 1) return toPage([], '5.9');
				return new Promise<never>((_, reject) =>
					signal.addEventListener('abort', () => ((aborted = true), reject(signal.reason))),
				);
			},
		},
	});
	await getByRole('searchbox').fill('pro');
	await expect.poll(() => shown(container)).toEqual([3, 2]);
	await getByRole('button', { name: 'Search older events' }).click();
	await expect.element(getByText(/Searching older events, back to/)).toBeVisible();
	await getByRole('button', { name: 'Stop' }).click();
	await expect.element(getByText(/^Stopped at/)).toBeVisible();
	expect([asked, aborted]).toEqual([['before=1&q=pro', 'before=5.9&q=pro'], true]);
	await getByRole('searchbox').fill('');
	await expect.poll(() => shown(container)).toEqual([3, 2, 1]);
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
