import { expect, test } from 'vitest';
import { ownText } from './copy-string';

test('a copy is the same text', () => {
	for (const text of ['', 'a', 'ä€😀', '\0\n', 'x'.repeat(10_000)])
		expect(ownText(text)).toBe(text);
});
