import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import EmptyState from './EmptyState.svelte';

const origin = 'https://board.example:8443';

test('three ways to send the first event, with the address of this server', async () => {
	const { container, getByRole } = await render(EmptyState, { origin, listening: true });
	const code = [...container.querySelectorAll('code')].map((element) => element.textContent);
	expect(code).toHaveLength(3);
	expect(code[0]).toContain(`curl ${origin}/api/events`);
	expect(code[1]).toContain(`<script defer src="${origin}/t.js"></script>`);
	expect(code[2]).toContain('INSERT INTO nowboard.events (name, properties)');
	await expect.element(getByRole('heading', { level: 2 })).toHaveTextContent('Listening.');
});

test('where events need a key: with the keys that are known, or with where they come from', async () => {
	const keys = { public: 'nb_pub_1', secret: 'nb_sec_2' };
	const known = await render(EmptyState, { origin, listening: true, keys });
	const code = () => [...known.container.querySelectorAll('code')].map((one) => one.textContent);
	expect(code()[0]).toContain("-H 'authorization: Bearer nb_sec_2'");
	expect(code()[1]).toContain('data-key="nb_pub_1"');
	await known.rerender({ keys: 'needed' });
	expect(code()[0]).toContain('Bearer nb_sec_…');
	await expect
		.element(known.getByText('with a secret key, made under Settings or by npm run keys.'))
		.toBeVisible();
});

test('what is copied is what is shown', async () => {
	const copied: string[] = [];
	const clipboard = { writeText: (text: string) => Promise.resolve(void copied.push(text)) };
	Object.defineProperty(navigator, 'clipboard', { value: clipboard, configurable: true });
	try {
		const { container, getByRole } = await render(EmptyState, { origin, listening: true });
		await getByRole('button', { name: 'Copy the curl example' }).click();
		await expect.element(getByRole('status').first()).toHaveTextContent('Copied');
		expect(copied).toEqual([container.querySelector('code')?.textContent]);
	} finally {
		Reflect.deleteProperty(navigator, 'clipboard');
	}
});

test('it does not claim to listen while the stream is away', async () => {
	const { getByRole } = await render(EmptyState, { origin, listening: false });
	await expect.element(getByRole('heading', { level: 2 })).toHaveTextContent('Not listening yet.');
});
