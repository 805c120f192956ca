import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import '../../../app.css';
import type { History, HistoryPoint } from '../../history';
import HistoryPanel from './HistoryPanel.svelte';
import RangeSwitch from './RangeSwitch.svelte';

const HOUR_MS = 3_600_000;
const END = Date.parse('2026-11-24T13:00:00Z');
const toPoint = (back: number, eventsCount: number | null): HistoryPoint => ({
	at: new Date(END - back * HOUR_MS).toISOString(),
	eventsCount,
	pageViews: eventsCount,
	activeSessions: null,
});
const history: History = {
	range: '7d',
	filter: [],
	zone: 'UTC',
	from: new Date(END - 4 * HOUR_MS).toISOString(),
	to: new Date(END).toISOString(),
	at: new Date(END - HOUR_MS / 2).toISOString(),
	begins: '2020-01-01T00:00:00.000Z',
	through: new Date(END - HOUR_MS / 2).toISOString(),
	tables: {},
	totals: { eventsCount: 33, pageViews: 33, activeSessions: null },
	previousTotals: null,
	points: [toPoint(4, 10), toPoint(3, null), toPoint(2, 20), toPoint(1, 3)],
	previous: [toPoint(8, 11), toPoint(7, 12), toPoint(6, 13), toPoint(5, 14)],
};
const panel = {
	range: '7d',
	history,
	problem: null,
	drawn: 'eventsCount',
	label: 'Events',
	running: true,
} as const;

test('every number is in the table, and what is not known is said to be', async () => {
	const { getByRole } = await render(HistoryPanel, panel);
	await expect.element(getByRole('heading', { name: 'Events per hour' })).toBeVisible();
	const rows = [...getByRole('table').element().querySelectorAll('tbody tr')].map((row) =>
		[...row.querySelectorAll('td')].map((cell) => cell.textContent),
	);
	expect(rows).toEqual([
		['Tue 24 Nov, 09:00–10:00', '10', '11'],
		['Tue 24 Nov, 10:00–11:00', 'not known', '12'],
		['Tue 24 Nov, 11:00–12:00', '20', '13'],
		['Tue 24 Nov, 12:00–13:00', '3', '14'],
	]);
	await expect
		.element(getByRole('status'))
		.toHaveTextContent('Where the line is broken, nothing was running.');
});

test('a slider walks through time by keyboard, and reads each step', async () => {
	const { getByRole, getByText } = await render(HistoryPanel, panel);
	const slider = getByRole('slider');
	await userEvent.tab();
	await expect.element(slider).toHaveFocus();
	await expect
		.element(slider)
		.toHaveAttribute(
			'aria-valuetext',
			'Tue 24 Nov, 12:00–13:00, so far: 3 events, 14 in the 7 days before',
		);
	await userEvent.keyboard('{ArrowLeft}{ArrowLeft}');
	await expect
		.element(slider)
		.toHaveAttribute(
			'aria-valuetext',
			'Tue 24 Nov, 10:00–11:00: not known, 12 in the 7 days before',
		);
	await expect.element(getByText('not known, 12 in the 7 days before')).toBeVisible();
	await userEvent.tab();
	await expect.element(getByText('not known, 12 in the 7 days before')).not.toBeInTheDocument();
});

test('a failure is announced and what was there stays; nothing yet keeps the place', async () => {
	const { getByRole, container, rerender } = await render(HistoryPanel, {
		...panel,
		problem: 'The server is not answering.',
	});
	await expect
		.element(getByRole('status'))
		.toHaveTextContent(
			'History could not be read: The server is not answering. Trying again; what is live goes on.',
		);
	await rerender({ problem: null, history: { ...history, points: history.points.slice(2) } });
	const height = container.getBoundingClientRect().height;
	await expect.element(getByRole('table')).toBeInTheDocument();
	await rerender({ history: null, problem: null });
	expect(Math.abs(container.getBoundingClientRect().height - height)).toBeLessThan(4);
});

test('the ranges are links that keep filter and breakdowns, and say which one is shown', async () => {
	const { getByRole } = await render(RangeSwitch, {
		view: { filter: ['source:shop'], by: ['os'], range: '24h' },
	});
	await expect.element(getByRole('navigation', { name: 'Range' })).toBeVisible();
	const links = getByRole('link').elements() as HTMLAnchorElement[];
	expect(
		links.map((link) => [link.textContent, link.getAttribute('href'), link.ariaCurrent]),
	).toEqual([
		['Live', '?f=source:shop&by=os', null],
		['30 min', '?f=source:shop&by=os&range=30min', null],
		['24 h', '?f=source:shop&by=os&range=24h', 'page'],
		['7 days', '?f=source:shop&by=os&range=7d', null],
		['90 days', '?f=source:shop&by=os&range=90d', null],
	]);
});
