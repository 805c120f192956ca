import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import DemoNote from './shell/DemoNote.svelte';
import NoticeLine from './status/NoticeLine.svelte';
import SendEvent from './sending/SendEvent.svelte';
import ThemeSwitch from './shell/ThemeSwitch.svelte';
import { faviconSvg } from './shell/favicon';

test('the theme is one of three, chosen like any radio button', async () => {
	const chosen: string[] = [];
	const { getByRole } = await render(ThemeSwitch, {
		value: 'system',
		onchange: (theme) => chosen.push(theme),
	});
	await expect.element(getByRole('group', { name: 'Theme' })).toBeVisible();
	await expect.element(getByRole('radio', { name: 'As the system' })).toBeChecked();
	await getByRole('radio', { name: 'Dark' }).click({ force: true });
	expect(chosen).toEqual(['dark']);
});

test('the page says that data is simulated and that it is open, and the switch asks for the opposite', async () => {
	const asked: boolean[] = [];
	const { getByRole, getByText } = await render(DemoNote, {
		running: true,
		onchange: (running) => asked.push(running),
	});
	await expect.element(getByText('Data is simulated')).toBeVisible();
	const open = getByText('Whoever reaches this page may look and send.');
	await expect.element(open).toBeVisible();
	await getByRole('switch', { name: 'Simulated visitors' }).click();
	expect(asked).toEqual([false]);
});

test('a notice is announced when it comes, and the place for it is there before', async () => {
	const { container, rerender } = await render(NoticeLine, { notice: null });
	const region = container.querySelector('[role=status]');
	expect(region?.textContent?.trim()).toBe('');
	await rerender({ notice: { tone: 'broken', text: 'Postgres is not answering.' } });
	expect(container.querySelector('[role=status]')).toBe(region);
	await expect.poll(() => region?.textContent).toContain('Postgres is not answering.');
});

test('the ways to send an event are tabs that arrow keys move through', async () => {
	const { getByRole } = await render(SendEvent, { origin: 'http://localhost:3000' });
	await getByRole('tab', { name: 'curl' }).click();
	const press = (key: string) =>
		document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
	press('ArrowLeft');
	await expect.element(getByRole('tab', { name: 'SQL' })).toHaveAttribute('aria-selected', 'true');
	await expect.element(getByRole('tabpanel')).toHaveTextContent('INSERT INTO events');
	press('ArrowRight');
	await expect.element(getByRole('tab', { name: 'curl' })).toHaveFocus();
});

test('the icon of the tab shows each state differently', () => {
	const icons = (['live', 'waiting', 'away'] as const).map(faviconSvg);
	expect(new Set(icons).size).toBe(3);
	for (const icon of icons) {
		const parsed = new DOMParser().parseFromString(icon, 'image/svg+xml');
		expect(parsed.querySelector('parsererror')).toBeNull();
	}
});
