import { beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import '../../../app.css';
import FilterBar from './FilterBar.svelte';

// the field's code is loaded when it is opened, and the first to ask for it waits until it is built
beforeAll(() => import('./FilterField.svelte'), 60_000);

const view = { filter: ['-os:Linux', 'country:DE'], by: ['os'], range: '24h' } as const;
const bar = { view, readValues: () => Promise.reject(new Error('nowhere')), navigate: () => {} };
const answer = {
	dimension: 'country',
	rows: [
		{ key: 'DE', count: 5 },
		{ key: 'AT', count: 3 },
	],
	other: 0,
	values: 2,
	at: '2026-03-01T12:00:00.000Z',
	measures: null,
};

test('each clause is a chip that can be removed and negated, and all can be cleared', async () => {
	const { getByRole } = await render(FilterBar, bar);
	const href = (name: string) => getByRole('link', { name }).element().getAttribute('href');
	expect([
		href('Remove: Country is Germany'),
		href('Negate: Country is Germany'),
		href('Negate: Operating system is not Linux'),
		href('Clear all'),
	]).toEqual([
		'?f=-os:Linux&by=os&range=24h',
		'?f=-country:DE&f=-os:Linux&by=os&range=24h',
		'?f=country:DE&f=os:Linux&by=os&range=24h',
		'?by=os&range=24h',
	]);
});

test('the field is opened by / and completes a dimension, then a value, by keyboard', async () => {
	const asked: string[] = [];
	const opened: string[] = [];
	const { getByRole } = await render(FilterBar, {
		...bar,
		view: { filter: ['os:Linux'], by: ['os'], range: null },
		readValues: (query: URLSearchParams) => {
			asked.push(String(query));
			return Promise.resolve(answer);
		},
		navigate: (address: string) => opened.push(address),
	});
	await userEvent.keyboard('/');
	await expect.element(getByRole('combobox')).toHaveFocus();
	await userEvent.keyboard('coun{Enter}');
	await expect.element(getByRole('combobox')).toHaveValue('country:');
	await userEvent.keyboard('au');
	await expect.element(getByRole('option', { name: /^Austria/ })).toBeVisible();
	await userEvent.keyboard('{Enter}');
	expect(opened).toEqual(['?f=country:AT&f=os:Linux&by=os']);
	expect(asked.at(-1)).toBe('dimension=country&limit=500&f=os%3ALinux');
	// the field closes and the keyboard is where it was opened
	await expect.element(getByRole('combobox')).not.toBeInTheDocument();
	await expect.element(getByRole('button', { name: /^Filter/ })).toHaveFocus();
});

test('a chip is edited in the field, and takes its own place', async () => {
	const opened: string[] = [];
	const { getByRole } = await render(FilterBar, {
		...bar,
		navigate: (address: string) => opened.push(address),
	});
	await getByRole('button', { name: 'Edit: Country is Germany' }).click();
	await expect.element(getByRole('combobox')).toHaveValue('country:DE');
	await userEvent.keyboard('{Backspace}{Backspace}FR{Enter}');
	expect(opened).toEqual(['?f=-os:Linux&f=country:FR&by=os&range=24h']);
});

test('a mistake is said, and Escape leaves the filter as it is', async () => {
	const opened: string[] = [];
	const { getByRole } = await render(FilterBar, {
		...bar,
		navigate: (address: string) => opened.push(address),
	});
	await userEvent.keyboard('/');
	await expect.element(getByRole('combobox')).toHaveFocus();
	await userEvent.keyboard('colour:red{Enter}');
	await expect.element(getByRole('alert')).toHaveTextContent('unknown dimension "colour"');
	await userEvent.keyboard('{Escape}');
	await expect.element(getByRole('combobox')).not.toBeInTheDocument();
	expect(opened).toEqual([]);
});

test('/ typed into a field is a character', async () => {
	const { getByRole } = await render(FilterBar, bar);
	await userEvent.keyboard('/');
	await expect.element(getByRole('combobox')).toHaveFocus();
	await userEvent.keyboard('path:/a');
	await expect.element(getByRole('combobox')).toHaveValue('path:/a');
});

test('a screen that nothing can be pressed on shows the filter in words', async () => {
	const { container } = await render(FilterBar, { ...bar, still: true });
	expect(container.textContent).toContain('Country is Germany');
	expect(container.querySelectorAll('a, button')).toHaveLength(0);
});
