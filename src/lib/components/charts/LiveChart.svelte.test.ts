import { beforeAll, expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import '../../../app.css';
import LiveChart from './LiveChart.svelte';

// the chart's code is large, and the first to ask for it waits until it is built
beforeAll(() => import('./Plot.svelte'), 60_000);

const NOW = Date.parse('2026-03-01T12:00:00.000Z');

const toPoint = (at: number, index: number) => ({
	at,
	events: 10 + index,
	pageViews: 1,
	sessions: 1,
});

const chart = {
	label: 'Events per minute',
	series: {
		minutes: Array.from({ length: 30 }, (_, index) => toPoint(NOW - (29 - index) * 60_000, index)),
		seconds: Array.from({ length: 30 }, (_, index) => toPoint(NOW - (29 - index) * 2_000, index)),
	},
	drawn: 'events',
	span: 'seconds',
	arrivals: [
		{ id: 1, at: NOW - 19_000 },
		{ id: 2, at: NOW - 500 },
	],
	now: NOW,
	running: true,
} as const;

const find = (container: HTMLElement, selector: string) => {
	const element = container.querySelector<HTMLElement>(selector);
	if (!element) throw new Error(`nothing matches ${selector}`);
	return element;
};
const isDrawn = (container: HTMLElement) =>
	find(container, '[data-testid=trace]').dataset.drawn === 'layerchart' &&
	container.querySelector('.lc-path') !== null;

/** LayerChart comes with the cursor. */
async function draw(container: HTMLElement) {
	const slider = find(container, 'input[type=range]');
	slider.focus();
	await expect.poll(() => isDrawn(container)).toBe(true);
	slider.blur();
}

test('the line by LayerChart takes the place of the first one without moving anything', async () => {
	const { container } = await render(LiveChart, chart);
	const before = container.getBoundingClientRect();
	expect(container.querySelector('svg.first')).not.toBeNull();
	await draw(container);
	expect(container.querySelector('svg.first')).toBeNull();
	expect(container.getBoundingClientRect().height).toBe(before.height);
});

test('one path draws all ticks, however many', async () => {
	const arrivals = Array.from({ length: 500 }, (_, id) => ({ id, at: NOW - id * 70 }));
	const { container } = await render(LiveChart, { ...chart, arrivals: arrivals.reverse() });
	await draw(container);
	expect(container.querySelectorAll('svg.lc-layout-svg')).toHaveLength(2);
	expect(container.querySelectorAll('.rug path')).toHaveLength(2);
	expect(container.querySelectorAll('circle')).toHaveLength(0);
});

test('while live, time moves without a script; away, it stands still beside the last known time', async () => {
	const { container, rerender, getByText } = await render(LiveChart, chart);
	const glider = find(container, '.ticks .glider');
	expect(glider.getAnimations()).toHaveLength(1);
	await expect.element(getByText('now', { exact: true })).toBeVisible();

	await rerender({ running: false });
	expect(glider.getAnimations()).toHaveLength(0);
	await expect.element(getByText('12:00:00').last()).toBeInTheDocument();
	await draw(container);
	expect(getComputedStyle(find(container, '.lc-path.resting')).strokeDasharray).toBe('2px, 5px');
});

test('with reduced motion nothing glides: what is drawn moves with each new second', async () => {
	const send = (value: string) =>
		cdp().send('Emulation.setEmulatedMedia', {
			features: [{ name: 'prefers-reduced-motion', value }],
		});
	try {
		await send('reduce');
		const { container, rerender } = await render(LiveChart, chart);
		expect(find(container, '.ticks .glider').getAnimations()).toHaveLength(0);
		const ticks = () => find(container, '.rug path').getAttribute('d');
		const before = ticks();
		await rerender({ now: NOW + 1_000 });
		expect(ticks()).not.toBe(before);
		expect(find(container, '.ticks .glider').getAnimations()).toHaveLength(0);
	} finally {
		await send('no-preference');
	}
});

test('values that change redraw the line, and time alone does not', async () => {
	const { container, rerender } = await render(LiveChart, chart);
	await draw(container);
	const ticks = () => find(container, '.rug path').getAttribute('d');
	const before = ticks();
	await rerender({ now: NOW + 1 });
	expect(ticks()).toBe(before);
	await rerender({ arrivals: [...chart.arrivals, { id: 3, at: NOW + 10 }] });
	expect(ticks()).not.toBe(before);
});

test('who cannot see it is told in a sentence and has the buckets as a table', async () => {
	const { getByRole, container } = await render(LiveChart, chart);
	await expect
		.element(getByRole('figure'))
		.toHaveTextContent(
			/Events per minute, the last minute: 39 so far now, 39 at most, 2 events in the last minute/,
		);
	expect(container.querySelectorAll('tbody tr')).toHaveLength(30);
	expect(container.querySelector('tbody tr')?.textContent).toContain('11:59:02');
});

test('half an hour has a bucket for each minute and no rug', async () => {
	const { getByRole, container } = await render(LiveChart, { ...chart, span: 'minutes' });
	await expect.element(getByRole('figure')).toHaveTextContent(/the last 30 minutes: 39 so far now/);
	expect(container.querySelector('.rug')).toBeNull();
	expect(container.querySelector('tbody tr')?.textContent).toMatch(/11:31\s*10/);
	await draw(container);
	// the running minute is a line of its own
	expect(getComputedStyle(find(container, '.lc-path.unfinished')).strokeDasharray).not.toBe('none');
});
