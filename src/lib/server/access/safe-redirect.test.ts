import { expect, test } from 'vitest';
import { toPath } from './safe-redirect';

test.each([
	['/', '/'],
	['/?source=shop', '/?source=shop'],
	['/a/b?c=d%20e', '/a/b?c=d%20e'],
	[null, '/'],
	['', '/'],
	['//evil.example', '/'],
	['/\\evil.example', '/'],
	['/a\\b', '/'],
	['https://evil.example', '/'],
	['javascript:alert(1)', '/'],
	['/\t/evil.example', '/'],
	['/a\nSet-Cookie: x', '/'],
	['evil', '/'],
])('%j leads to %s', (text, path) => {
	expect(toPath(text)).toBe(path);
});
