import type { Json } from '../protocol';

/** What a row says of itself first, whatever order it was sent in. */
const FIRST = ['path', 'url', 'title'];

/** A property's value as one line of text. Never markup: what senders write is shown, not run. */
export function toText(value: Json): string {
	return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Key and value pairs, the telling ones first. */
export function toPairs(properties: { [key: string]: Json }): [key: string, text: string][] {
	const rank = (key: string) => (FIRST.indexOf(key) + FIRST.length + 1) % (FIRST.length + 1);
	return Object.entries(properties)
		.sort(([a], [b]) => rank(a) - rank(b))
		.map(([key, value]) => [key, toText(value)]);
}
