import { expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import '../../../app.css';
import MetricCard from './MetricCard.svelte';

const card = {
	label: 'Page views',
	window: '30 min',
	value: 1234,
	previous: 1000,
	definition: 'Events named page_view.',
	onpress: () => {},
};

/** The running animations inside the rolling figure. */
function countRolls(container: HTMLElement): number {
	const figure = container.querySelector('number-flow-svelte');
	const parts = figure?.shadowRoot?.getAnimations() ?? [];
	return parts.filter(({ playState }) => playState === 'running').length;
}

async function setReducedMotion(reduced: boolean): Promise<void> {
	await cdp().send('Emulation.setEmulatedMedia', {
		features: [{ name: 'prefers-reduced-motion', value: reduced ? 'reduce' : 'no-preference' }],
	});
}

test('it reads as label, window, figure and change', async () => {
	const { getByRole } = await render(MetricCard, card);
	await expect
		.element(getByRole('button'))
		.toHaveAccessibleName('Page views 30 min 1,234 +23 % vs 30 min ago');
});

test('without an earlier figure it claims no change', async () => {
	const { getByRole } = await render(MetricCard, { ...card, previous: null });
	await expect.element(getByRole('button')).toHaveAccessibleName('Page views 30 min 1,234');
});

test('it says how it is counted on focus, and Escape takes that away', async () => {
	const { getByRole, container } = await render(MetricCard, card);
	const button = getByRole('button');
	await expect.element(button).toHaveAccessibleDescription('Events named page_view.');
	const definition = container.querySelector('[role=tooltip]');
	expect(definition).not.toBeVisible();
	await button.hover();
	await expect.poll(() => definition && getComputedStyle(definition).visibility).toBe('visible');
	window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
	await expect.poll(() => definition && getComputedStyle(definition).visibility).toBe('hidden');
});

test('it is a toggle', async () => {
	const presses: string[] = [];
	const onpress = () => presses.push('pressed');
	const { getByRole, rerender } = await render(MetricCard, { ...card, onpress });
	await expect.element(getByRole('button')).toHaveAttribute('aria-pressed', 'false');
	await getByRole('button').click();
	await rerender({ pressed: true });
	await expect.element(getByRole('button')).toHaveAttribute('aria-pressed', 'true');
	expect(presses).toEqual(['pressed']);
});

test('a change rolls; with reduced motion it does not', async () => {
	try {
		await setReducedMotion(false);
		const moving = await render(MetricCard, card);
		await expect.poll(() => moving.container.querySelector('number-flow-svelte')).not.toBeNull();
		await moving.rerender({ value: 1235 });
		await expect.poll(() => countRolls(moving.container)).toBeGreaterThan(0);
		await moving.unmount();

		await setReducedMotion(true);
		const still = await render(MetricCard, card);
		await expect.poll(() => still.container.querySelector('number-flow-svelte')).not.toBeNull();
		await still.rerender({ value: 1235 });
		await expect.element(still.getByRole('button')).toHaveAccessibleName(/1,235/);
		expect(countRolls(still.container)).toBe(0);
	} finally {
		await setReducedMotion(false);
	}
});

test('the rolling figure takes the very place of the one the server wrote', async () => {
	const { container } = await render(MetricCard, card);
	await expect.poll(() => container.querySelector('number-flow-svelte')).not.toBeNull();
	const figure = container.querySelector<HTMLElement>('.figure');
	if (!figure) throw new Error('no figure');
	const rolling = figure.getBoundingClientRect();
	const written = figure.cloneNode(false) as HTMLElement;
	written.textContent = '1,234';
	figure.replaceWith(written);
	const plain = written.getBoundingClientRect();
	expect(plain.height).toBeCloseTo(rolling.height, 0);
	expect(plain.top).toBeCloseTo(rolling.top, 0);
	expect(plain.width).toBeCloseTo(rolling.width, 0);
});
