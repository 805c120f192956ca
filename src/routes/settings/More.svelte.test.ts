import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { DEFAULT_LOOK } from '$lib/format';
import More from './More.svelte';

test.each([
	[{ working: 0, ended: 0 }, ''],
	[{ working: 1_234, ended: 0 }, 'Older entries not listed: 1,234 active.'],
	[{ working: 0, ended: 7 }, 'Older entries not listed: 7 ended.'],
	[{ working: 2, ended: 7 }, 'Older entries not listed: 2 active, 7 ended.'],
])('of %o the page says "%s"', async (more, says) => {
	const { container } = await render(More, { more, look: DEFAULT_LOOK });
	expect(container.textContent.trim()).toBe(says);
});
