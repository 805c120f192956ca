/**
 * What is stored of a page view: its path in one spelling, and what the tracker leaves to the server to stay small.
 * Pure. Titles and addresses come from pages that others wrote: what cannot be stored is left out, not refused.
 */
import { cut, toPath } from '../../path';
import { INGEST_LIMITS } from '../../ingest-limits';

type Properties = Readonly<Record<string, unknown>>;

/** UTF-16 units that are kept of a page view that would be too large for an event. */
const MAX_LENGTH = { url: 1_400, referrer: 1_400, title: 200 };
const MAX_UTM_LENGTH = 200;
const UTM = /^utm_(?:source|medium|campaign|term|content)$/;
/** Scheme and host; `null` is the origin of a file. */
const ORIGIN = /^(?:[a-z][a-z\d+.-]*:\/\/[^/?#]*|null(?=\/))/i;

/**
 * @param given properties of a `page_view`. A missing `path` is read from `url`. `utm` is a list of parameters as they
 * stand in an address (`?utm_source=a`). `slash` (`/a/` is not `/a`) may be the text of an attribute.
 */
export function toPageView(given: Properties): Properties {
	const { utm, slash, ...rest } = given;
	const view = {
		...(Array.isArray(utm) ? toCampaign(utm) : utm != null && { utm }),
		...rest,
		...toTexts(rest, toStorable),
		...toSlash(slash),
	};
	const whole = withPath(view);
	return isTooLarge(whole) ? withPath({ ...view, ...toTexts(view, cut) }) : whole;
}

function toSlash(slash: unknown): Properties {
	if (typeof slash === 'string') return slash === 'false' ? {} : { slash: true };
	return slash === undefined ? {} : { slash };
}

/** The texts that describe the page. */
function toTexts(view: Properties, change: (text: string, max: number) => string): Properties {
	const texts: Record<string, string> = {};
	for (const [key, max] of Object.entries(MAX_LENGTH)) {
		const value = view[key];
		if (typeof value === 'string') texts[key] = change(value, max);
	}
	return texts;
}

function withPath(view: Properties): Properties {
	const path = view.path ?? pathOf(view.url);
	return typeof path === 'string' ? { ...view, path: toPath(path, view.slash === true) } : view;
}

/** The address without its origin; undefined: it is none. */
function pathOf(url: unknown): string | undefined {
	if (typeof url !== 'string') return undefined;
	const path = url.replace(ORIGIN, '');
	if (path.startsWith('/')) return path;
	return path === url ? undefined : `/${path}`;
}

function toCampaign(pairs: readonly unknown[]): Properties {
	const campaign: Record<string, string> = {};
	// each begins with ? or &
	const search = pairs.map((pair) => (typeof pair === 'string' ? pair.slice(1) : '')).join('&');
	for (const [name, value] of new URLSearchParams(search))
		if (UTM.test(name) && value) campaign[name] = cut(toStorable(value), MAX_UTM_LENGTH);
	return campaign;
}

/** Without what Postgres cannot store: NUL and halves of characters. */
function toStorable(text: string): string {
	return text.replace(/[\0\p{Cs}]/gu, '');
}

function isTooLarge(view: Properties): boolean {
	// most are not: the texts alone are measured first
	const length = Object.values(toTexts(view, (text) => text)).join('').length;
	const { propertiesBytes } = INGEST_LIMITS;
	return length > propertiesBytes / 8 && Buffer.byteLength(JSON.stringify(view)) > propertiesBytes;
}
