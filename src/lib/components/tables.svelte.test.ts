import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import SourceSwitch from './history/SourceSwitch.svelte';
import TopTable from './dashboard/TopTable.svelte';

const table = {
	rows: [
		{ key: '/pricing', count: 1200 },
		{ key: '<b>/</b>', count: 30 },
	],
	other: 4,
};

test('shows its sum, its rows and what the rows leave out', async () => {
	const { container } = await render(TopTable, {
		title: 'Pages',
		unit: ['page view', 'page views'],
		empty: 'None yet',
		table,
	});
	expect(container.textContent).toContain('1,234 page views');
	const rows = [...container.querySelectorAll('li')].map((row) => row.innerText.split(/\s+/));
	expect(rows).toEqual([
		['/pricing', '1,200'],
		['<b>/</b>', '30'],
		['Others', '4'],
	]);
});

test('says that it is empty', async () => {
	const { container } = await render(TopTable, {
		title: 'Pages',
		unit: ['page view', 'page views'],
		empty: 'No page views yet',
		table: { rows: [], other: 0 },
	});
	expect(container.querySelector('li')?.innerText).toBe('No page views yet');
});

test('links every source when there are several, and marks the chosen one', async () => {
	const one = { rows: [{ key: 'web', count: 1 }], other: 0 };
	const { container, rerender } = await render(SourceSwitch, { sources: one, chosen: null });
	expect(container.querySelector('nav')).toBeNull();
	await rerender({
		sources: { rows: [...one.rows, { key: 'a&b', count: 1 }], other: 0 },
		chosen: 'web',
	});
	const links = [...container.querySelectorAll('a')];
	expect(links.map((link) => [link.innerText, link.getAttribute('href')])).toEqual([
		['All sources', './'],
		['a&b', '?source=a%26b'],
		['web', '?source=web'],
	]);
	expect(links.map((link) => link.getAttribute('aria-current'))).toEqual([null, null, 'page']);
});

test('lets the viewer leave a chosen source without events', async () => {
	const { container } = await render(SourceSwitch, {
		sources: { rows: [], other: 0 },
		chosen: 'web',
	});
	expect([...container.querySelectorAll('a')].map((link) => link.innerText)).toEqual([
		'All sources',
		'web',
	]);
});
