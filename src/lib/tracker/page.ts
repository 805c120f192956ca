/**
 * What a page view says about the page: pure functions from addresses to properties. Query strings and hashes may hold
 * secrets (tokens, e-mail addresses, searches), so of the query only the `utm_*` parameters are read, and the hash only
 * when the site routes by it. All texts are cut so that a page view always passes the limits of POST /api/events.
 */

export type Page = { url: string; path: string } & Partial<Record<(typeof UTM)[number], string>>;

const UTM = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'] as const;

/** Characters of an address: ASCII, so bytes as well. Three of them and six texts stay below 8 KiB. */
export const MAX_ADDRESS = 1_000;
/** Characters of a title or a utm parameter: up to three bytes each. */
export const MAX_TEXT = 200;

/** Without control characters and halves of characters, which the server refuses. */
export function clip(text: string, max: number): string {
	return text.slice(0, max).replace(/[\p{Cc}\p{Cs}]/gu, '');
}

/** @param byHash whether the hash is part of the address, for sites that route by it */
export function toPage(
	{ origin, pathname, hash, search }: Pick<URL, 'origin' | 'pathname' | 'hash' | 'search'>,
	byHash: boolean,
): Page {
	const path = byHash ? pathname + hash : pathname;
	const page: Page = { url: clip(origin + path, MAX_ADDRESS), path: clip(path, MAX_ADDRESS) };
	const query = new URLSearchParams(search);
	for (const name of UTM) {
		const value = query.get(name);
		if (value) page[name] = clip(value, MAX_TEXT);
	}
	return page;
}

/** Where the visitor came from, without query and hash; nothing when that is the site itself. */
export function toReferrer(referrer: string, ownHost: string): string | undefined {
	if (!referrer) return;
	const { protocol, host, pathname } = new URL(referrer);
	if (host !== ownHost) return clip(`${protocol}//${host}${pathname}`, MAX_ADDRESS);
}
