import { expect, test } from 'vitest';
import { transport } from './hooks';

const { encode, decode } = transport['Json'] as NonNullable<(typeof transport)[string]>;

test.each([
	'{"__proto__":1}',
	'{"__proto__":{"__proto__":null,"polluted":true},"constructor":1}',
	'{"__proto__":[],"c":"</script><!--"}',
])('%s travels as text, and comes as it was', (text) => {
	const come: unknown = decode(encode(JSON.parse(text)));
	expect(JSON.stringify(come)).toBe(text);
	expect('polluted' in {}).toBe(false);
});

test('what has no such key goes its usual way', () => {
	for (const value of [null, 1, 'text', [], {}, { constructor: 1 }, new Date()])
		expect(encode(value)).toBe(false);
});
