import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import ConnectionStatus from './ConnectionStatus.svelte';

const live = {
	status: 'live',
	attempt: 0,
	retryAt: null,
	lastError: null,
	clock: 0,
	delayMs: 41,
	onretry: () => {},
} as const;

test.each([
	['connecting', 0, 'Connecting'],
	['connecting', 2, 'Reconnecting'],
	['live', 0, 'Live'],
	['waiting', 1, 'Reconnecting'],
	['offline', 1, 'Offline'],
	['failed', 10, 'No connection'],
] as const)('%s after %i attempts reads "%s"', async (status, attempt, words) => {
	const { getByRole } = await render(ConnectionStatus, { ...live, status, attempt });
	await expect.element(getByRole('status')).toHaveTextContent(words);
});

test('each state has a shape of its own, not a colour alone', async () => {
	const shapes = [];
	for (const status of ['live', 'waiting', 'failed'] as const) {
		const { container, unmount } = await render(ConnectionStatus, { ...live, status });
		const path = container.querySelector('path');
		if (!path) throw new Error(`no sign for ${status}`);
		shapes.push(`${path.getAttribute('d')} ${getComputedStyle(path).strokeDasharray}`);
		await unmount();
	}
	expect(new Set(shapes).size).toBe(3);
});

test('counts down while waiting and retries at once on request', async () => {
	const presses: string[] = [];
	const { getByText, getByRole, rerender } = await render(ConnectionStatus, {
		...live,
		status: 'waiting',
		attempt: 2,
		retryAt: 4_000,
		lastError: 'The server is not ready.',
		onretry: () => presses.push('retry'),
	});
	await expect.element(getByText('in 4 s')).toBeVisible();
	await rerender({ clock: 1_200 });
	await expect.element(getByText('in 3 s')).toBeVisible();
	await expect.element(getByText('Reconnecting').first()).toBeVisible();
	await getByRole('button', { name: 'Try now' }).click();
	expect(presses).toEqual(['retry']);
});

test('shows the delay and no button while live', async () => {
	const { getByText, getByRole } = await render(ConnectionStatus, live);
	await expect.element(getByText('Delay 41 ms')).toBeInTheDocument();
	expect(getByRole('button').query()).toBeNull();
});

test('does not say Live while the database is down', async () => {
	const { getByRole } = await render(ConnectionStatus, { ...live, database: 'down' });
	await expect.element(getByRole('status')).toHaveTextContent('No database');
});
