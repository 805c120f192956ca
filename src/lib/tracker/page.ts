/**
 * What a page view says about the page: pure functions from addresses to properties. Query strings and hashes may hold
 * secrets (tokens, e-mail addresses, searches), so only `utm_*` and the parameters that the site names are read, and the
 * hash only when the site routes by it. All texts are cut so that a page view always passes the limits of POST /api/events.
 */
import { attempt } from './guest';

export type Page = { url: string; path: string; slash?: true } & Record<string, string | true>;
type Address = Pick<URL, 'origin' | 'pathname' | 'hash' | 'search'>;
export type Settings = Partial<Record<string, string>>;

/** Characters of an address: ASCII, so bytes as well. Three of them and six texts stay below 8 KiB. */
export const MAX_ADDRESS = 1_400;
/** Characters of a title or a utm parameter: up to three bytes each. */
export const MAX_TEXT = 200;

/** An attribute without a value is on too. */
export const isOn = (setting: unknown) => `${setting ?? false}` !== 'false';
const toList = (setting: unknown = '') => `${setting}`.split(/[\s,]+/);

/** Cut between characters, also encoded ones (`%E3%81%82`), and without what Postgres cannot store. */
export const clip = (text: string, max: number) =>
	(text[max] ? text.slice(0, max).replace(/(%[c-f].(%[89ab].)*)?(%.?)?$/i, '') : text).replace(
		/[\0\p{Cs}]/gu,
		'',
	);

/**
 * The server normalises the path (src/lib/path.ts). Here `/a/` becomes `/a` only to recognise a change of page.
 * @param settings `query`: parameters that belong to the address; `hash`: so does the hash; `slash`: `/a/` is another
 * page than `/a`
 */
export function toPage({ origin, pathname, hash, search }: Address, settings: Settings) {
	const rest =
		search
			.replace(/[?&]([^=&]*)[^&]*/g, (pair, name) =>
				name && toList(settings.query).includes(name) ? pair : '',
			)
			.replace(/^./, '?') + (isOn(settings.hash) ? hash : '');
	const slash = isOn(settings.slash) && ({ slash: true } as const);
	return {
		url: clip(origin + pathname + rest, MAX_ADDRESS),
		path: clip((slash ? pathname : pathname.replace(/(?!^)\/+$/, '')) + rest, MAX_ADDRESS),
		...slash,
	} as Page;
}

/** The `utm_*` parameters that say something. */
export function toCampaign(href: string) {
	const campaign: Record<string, string> = {};
	attempt(() =>
		new URL(href).searchParams.forEach((value, name) => {
			if (value && /^utm_(source|medium|campaign|term|content)$/.test(name))
				campaign[name] = clip(value, MAX_TEXT);
		}),
	);
	return campaign;
}

export const withoutWww = (host: string) => host.replace(/^www\./, '');

/**
 * Where the visitor came from, without query and hash; nothing when that is the site itself: `www.x` and `x` are one
 * site, and so are the hosts that it lists.
 */
export function toReferrer(referrer: unknown, host: string, domains?: string): string | undefined {
	const [address, from = ''] = /.+?\/\/([^/]*)[^?]*/.exec(`${referrer}`) ?? [];
	if (address && !toList(`${host},${domains}`).map(withoutWww).includes(withoutWww(from)))
		return clip(address, MAX_ADDRESS);
}
