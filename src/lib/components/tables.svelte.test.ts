import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { toAddress, withClause } from '../address';
import { DEFAULT_LOOK } from '../format';
import type { Values } from '../history';
import AllValues from './dashboard/AllValues.svelte';
import BreakdownTable from './dashboard/BreakdownTable.svelte';
import Breakdowns from './dashboard/Breakdowns.svelte';

const table = {
	rows: [
		{ key: '/pricing', count: 1200 },
		{ key: '<b>/</b>', count: 30 },
	],
	other: 4,
};
const view = { filter: ['os:Linux'], by: ['country', 'language'], range: null };
const link = (clause: string) => {
	const filter = withClause(view.filter, clause);
	return filter && toAddress({ ...view, filter });
};
const hrefs = (container: HTMLElement) =>
	[...container.querySelectorAll('ol a')].map((a) => [a.textContent, a.getAttribute('href')]);

test('shows its sum, its rows with their shares, and what the rows leave out', async () => {
	const { container } = await render(BreakdownTable, { dimension: 'path', table });
	expect(container.textContent).toContain('1,234 page views');
	const rows = [...container.querySelectorAll('li')].map((row) => row.innerText.split(/\s+/));
	expect(rows).toEqual([
		['/pricing', '97%', '1,200'],
		['<b>/</b>', '2.4%', '30'],
		['Others', '0.3%', '4'],
	]);
	expect(container.querySelector('a')).toBeNull();
});

test('says that it is empty, or that it is being counted', async () => {
	const { container, rerender } = await render(BreakdownTable, {
		dimension: 'path',
		table: { rows: [], other: 0 },
	});
	expect(container.querySelector('li')?.innerText).toBe('No page views yet');
	await rerender({ table: null });
	expect(container.querySelector('li')?.innerText).toBe('Counting…');
});

test('a row adds its value to the filter, a second link excludes it', async () => {
	const { container } = await render(BreakdownTable, {
		dimension: 'country',
		table: { rows: [{ key: 'DE', count: 3 }], other: 0 },
		link,
	});
	expect(hrefs(container)).toEqual([
		['Germany', '?f=country:DE&f=os:Linux&by=country,language'],
		['≠', '?f=-country:DE&f=os:Linux&by=country,language'],
	]);
	expect(container.querySelectorAll('ol a')[1]?.getAttribute('aria-label')).toBe('Exclude Germany');
});

test('a row that the filter already asks for takes it off', async () => {
	const { container } = await render(BreakdownTable, {
		dimension: 'os',
		table: { rows: [{ key: 'Linux', count: 3 }], other: 0 },
		link,
	});
	expect(hrefs(container)[0]).toEqual(['Linux', '?by=country,language']);
});

test('events without a value are a row that can be asked for', async () => {
	const { container } = await render(BreakdownTable, {
		dimension: 'referrer',
		table: { rows: [{ key: '', count: 3 }], other: 0 },
		link,
	});
	expect(hrefs(container)[0]).toEqual([
		'Direct or internal',
		'?f=os:Linux&f=referrer:&by=country,language',
	]);
});

test('over a range each row shows its change against the period before', async () => {
	const { container } = await render(BreakdownTable, {
		dimension: 'path',
		table: {
			rows: [
				{ key: '/', count: 30, before: 20 },
				{ key: '/new', count: 10, before: 0 },
			],
			other: 0,
		},
	});
	const rows = [...container.querySelectorAll('li')].map((row) => row.innerText.split(/\s+/));
	expect(rows).toEqual([
		['/', '+50', '%', '75%', '30'],
		['/new', '25%', '10'],
	]);
});

test('tabs keep the filter, and the one that is shown says so', async () => {
	const { container, getByRole } = await render(Breakdowns, {
		props: { view, tables: {}, events: [], link },
	});
	const links = getByRole('navigation', { name: 'Breakdowns' }).element().querySelectorAll('a');
	expect([...links].map((a) => [a.textContent, a.getAttribute('href'), a.ariaCurrent])).toEqual([
		['Overview', '?f=os:Linux', null],
		['Pages', '?f=os:Linux&by=path,host', null],
		[
			'Sources',
			'?f=os:Linux&by=referrer,channel,utm_campaign,utm_source,utm_medium,utm_term,utm_content',
			null,
		],
		['Places', '?f=os:Linux&by=country,language', 'page'],
		['Devices', '?f=os:Linux&by=device,browser,os', null],
		['Events', '?f=os:Linux&by=name,source', null],
	]);
	expect([...container.querySelectorAll('h2')].map((h2) => h2.innerText)).toEqual([
		'Countries',
		'Languages',
	]);
});

test('properties of a chosen name can be broken down, and only then', async () => {
	const event = {
		id: 1,
		eventId: '00000000-0000-4000-8000-000000000001',
		name: 'signup',
		source: 'web',
		sessionId: null,
		properties: { plan: 'pro', nested: { a: 1 }, 'a:b': 1 },
		context: null,
		createdAt: '2026-03-01T12:00:00.000Z',
	};
	const named = { filter: ['name:signup'], by: ['name', 'source'], range: null };
	const props = { view: named, tables: {}, events: [event], link };
	const { container, rerender } = await render(Breakdowns, { props });
	const offered = () =>
		[...container.querySelectorAll('nav[aria-label=Properties] a')].map((a) => [
			a.textContent,
			a.getAttribute('href'),
		]);
	expect(offered()).toEqual([['plan', '?f=name:signup&by=name,source,props.plan']]);
	await rerender({ view: { ...named, by: ['name', 'source', 'props.plan'] } });
	expect(offered()).toEqual([['plan', '?f=name:signup&by=name,source']]);
	await rerender({ view: { ...named, filter: [] } });
	expect(offered()).toEqual([]);
});

test('says how far a filtered view reaches back and what it cannot distinguish', async () => {
	const { container } = await render(Breakdowns, {
		props: {
			view,
			tables: {},
			events: [],
			reach: Date.UTC(2026, 2, 1, 12, 5, 9),
			blurred: ['session'],
		},
	});
	expect(container.textContent).toContain('Filtered figures begin at 12:05:09');
	expect(container.textContent).toContain('Session: too many different values');
});

test('a live row is compared with the half hour before, where that is known', async () => {
	const { container } = await render(Breakdowns, {
		props: {
			view: { ...view, by: ['os'] },
			tables: {
				os: {
					rows: [
						{ key: 'Linux', count: 30 },
						{ key: 'Plan 9', count: 3 },
					],
					other: 0,
				},
			},
			before: { at: '2026-03-01T12:00:00.000Z', tables: { os: [{ key: 'Linux', count: 20 }] } },
			events: [],
			link,
		},
	});
	const rows = [...container.querySelectorAll('li')].map((row) => row.innerText.split(/\s+/));
	expect(rows).toEqual([
		['Linux', '≠', '+50', '%', '91%', '30'],
		['Plan', '9', '≠', '9.1%', '3'],
	]);
	expect(container.querySelector('[title^="20 in the 30 minutes before"]')).not.toBeNull();
});

test('the whole list holds the rows in sight only, and is searched by the server where it is longer', async () => {
	const asked: string[] = [];
	const row = (i: number) => ({ key: `/page/${i}`, count: 5_000 - i });
	const all = Array.from({ length: 5_000 }, (_, i) => row(i));
	const { getByRole, getByText } = await render(AllValues, {
		dimension: 'path',
		view: { filter: ['os:Linux'], by: ['path'], range: '24h' },
		before: new Map(),
		against: 'the 24 h before',
		link,
		look: DEFAULT_LOOK,
		onclose: () => {},
		readValues: async (query: URLSearchParams): Promise<Values> => {
			asked.push(String(query));
			const text = query.get('q');
			return {
				...{ dimension: 'path', at: '2026-03-01T12:00:00.000Z', values: 6_000, measures: null },
				...(text ? { rows: [row(5_432)], other: 1 } : { rows: all, other: 9 }),
			};
		},
	});
	await expect
		.element(getByText('The 5,000 most frequent. Search finds the others.'))
		.toBeVisible();
	const list = getByRole('list', { name: 'Pages' });
	const items = () => [...list.element().querySelectorAll('li')];
	expect(items().length).toBeLessThan(60);
	list.element().closest('.box')!.scrollTop = 1e9;
	await expect.element(getByRole('link', { name: '/page/4999', exact: true })).toBeVisible();
	expect(items().at(-1)?.ariaPosInSet).toBe('5000');
	await getByRole('searchbox').fill('5432');
	await expect.element(getByRole('link', { name: '/page/5432', exact: true })).toBeVisible();
	expect(asked).toEqual([
		'dimension=path&limit=5000&by=path&f=os%3ALinux&range=24h&zone=UTC',
		'dimension=path&limit=5000&by=path&f=os%3ALinux&q=5432&range=24h&zone=UTC',
	]);
});
