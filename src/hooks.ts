/**
 * How what a page is given travels from the server to the browser. SvelteKit's devalue throws at an object with a key `__proto__`, which an event's
 * properties may have: one such event would be an error of every page. As JSON text the key is one like any other.
 */
import type { Transport } from '@sveltejs/kit';

export const transport: Transport = {
	Json: {
		encode: (value: unknown) =>
			typeof value === 'object' &&
			value !== null &&
			Object.hasOwn(value, '__proto__') &&
			JSON.stringify(value),
		decode: (text: string): unknown => JSON.parse(text),
	},
};
