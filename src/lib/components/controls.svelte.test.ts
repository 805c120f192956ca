import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import DemoNote from './shell/DemoNote.svelte';
import NoticeLine from './status/NoticeLine.svelte';
import SendEvent from './sending/SendEvent.svelte';
import ThemeSwitch from './shell/ThemeSwitch.svelte';
import { faviconSvg } from './shell/favicon';

test('chooses one of three themes as a radio button', async () => {
	const chosen: string[] = [];
	const { getByRole } = await render(ThemeSwitch, {
		value: 'system',
		onchange: (theme) => chosen.push(theme),
	});
	await expect.element(getByRole('group', { name: 'Theme' })).toBeVisible();
	await expect.element(getByRole('radio', { name: 'System' })).toBeChecked();
	await getByRole('radio', { name: 'Dark' }).click({ force: true });
	expect(chosen).toEqual(['dark']);
});

test('says that data is simulated and the page open, and the switch asks for the opposite', async () => {
	const asked: boolean[] = [];
	const { getByRole, getByText } = await render(DemoNote, {
		running: true,
		onchange: (running) => asked.push(running),
	});
	await expect.element(getByText('Data is simulated')).toBeVisible();
	const open = getByText('Anyone who can open this page can view it and send events.');
	await expect.element(open).toBeVisible();
	await getByRole('switch', { name: 'Simulated visitors' }).click();
	expect(asked).toEqual([false]);
});

test('announces a notice in a region that is already there', async () => {
	const { container, rerender } = await render(NoticeLine, { notice: null });
	const region = container.querySelector('[role=status]');
	expect(region?.textContent?.trim()).toBe('');
	await rerender({ notice: { tone: 'broken', text: 'Postgres is not answering.' } });
	expect(container.querySelector('[role=status]')).toBe(region);
	await expect.poll(() => region?.textContent).toContain('Postgres is not answering.');
});

test('moves through the ways to send an event by arrow keys', async () => {
	const { getByRole } = await render(SendEvent, { origin: 'http://localhost:3000' });
	await getByRole('tab', { name: 'curl' }).click();
	const press = (key: string) =>
		document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
	press('ArrowLeft');
	await expect.element(getByRole('tab', { name: 'SQL' })).toHaveAttribute('aria-selected', 'true');
	await expect.element(getByRole('tabpanel')).toHaveTextContent('INSERT INTO nowboard.events');
	press('ArrowRight');
	await expect.element(getByRole('tab', { name: 'curl' })).toHaveFocus();
});

test('gives each state its own favicon', () => {
	const icons = (['live', 'waiting', 'away'] as const).map(faviconSvg);
	expect(new Set(icons).size).toBe(3);
	for (const icon of icons) {
		const parsed = new DOMParser().parseFromString(icon, 'image/svg+xml');
		expect(parsed.querySelector('parsererror')).toBeNull();
	}
});
