import { expect, test, vi } from 'vitest';
import { loadPart } from './load-part';

test('a part is its default export; one that cannot be loaded is null, told once, and asked for again', async () => {
	const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
	try {
		let away = true;
		const load = () =>
			away
				? Promise.reject(new TypeError('Failed to fetch'))
				: Promise.resolve({ default: 'part' });
		expect(await loadPart(load)).toBeNull();
		expect(warn).toHaveBeenCalledTimes(1);
		away = false;
		expect(await loadPart(load)).toBe('part');
		expect(warn).toHaveBeenCalledTimes(1);
	} finally {
		warn.mockRestore();
	}
});
