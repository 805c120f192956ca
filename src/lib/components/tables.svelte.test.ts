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

test('a table says what it adds up to, and shows what it leaves out', async () => {
	const { container } = await render(TopTable, { title: 'Pages', unit: 'page views', table });
	expect(container.textContent).toContain('1,234 page views');
	const rows = [...container.querySelectorAll('li')].map((row) => row.innerText.split(/\s+/));
	expect(rows).toEqual([
		['/pricing', '1,200'],
		['<b>/</b>', '30'],
		['Others', '4'],
	]);
});

test('an empty table says so', async () => {
	const { container } = await render(TopTable, {
		title: 'Pages',
		unit: 'page views',
		table: { rows: [], other: 0 },
	});
	expect(container.querySelector('li')?.innerText).toBe('None in the last 30 minutes');
});

test('with one source there is nothing to switch; with more, each is a link and one is current', async () => {
	const one = { rows: [{ key: 'web', count: 1 }], other: 0 };
	const { container, rerender } = await render(SourceSwitch, { sources: one, chosen: null });
	expect(container.querySelector('nav')).toBeNull();
	await rerender({
		sources: { rows: [...one.rows, { key: 'a&b', count: 1 }], other: 0 },
		chosen: 'web',
	});
	const links = [...container.querySelectorAll('a')];
	expect(links.map((link) => [link.innerText, link.getAttribute('href')])).toEqual([
		['All sources', '/'],
		['a&b', '?source=a%26b'],
		['web', '?source=web'],
	]);
	expect(links.map((link) => link.getAttribute('aria-current'))).toEqual([null, null, 'page']);
});

test('a chosen source that fell silent can be left', async () => {
	const { container } = await render(SourceSwitch, {
		sources: { rows: [], other: 0 },
		chosen: 'web',
	});
	expect([...container.querySelectorAll('a')].map((link) => link.innerText)).toEqual([
		'All sources',
		'web',
	]);
});
