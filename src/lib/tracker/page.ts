/**
 * What a page view says about the page: pure functions from addresses to texts. Query strings and hashes may hold
 * secrets (tokens, e-mail addresses, searches), so only `utm_*` and the parameters that the site names are read, and the
 * hash only when the site routes by it. The server reads path and utm_* from them (src/lib/server/ingest/page-view.ts).
 */
export type Settings = Partial<Record<string, string>>;
type Address = Pick<URL, 'origin' | 'pathname' | 'hash' | 'search'>;

/** An attribute without a value is on too. */
export const isOn = (setting: unknown) => `${setting ?? false}` !== 'false';

/** A host as it is counted. */
export const withoutWww = (host: string) => host.replace(/^www\./, '');

/** @param list separated by commas or spaces; the `www.` of a host makes no difference */
const isListed = (list: unknown, name: string) =>
	`,${[list]},`.replace(/[\s,]+(www\.)?/g, ',').includes(`,${withoutWww(name)},`);

/**
 * @param settings `query`: parameters that belong to the address; `hash`: so does the hash; `slash`: `/a/` is another
 * page than `/a`
 */
export const toUrl = (
	{ origin, pathname, hash, search }: Address,
	{ query, hash: withHash, slash }: Settings,
) =>
	origin +
	(isOn(slash) ? pathname : pathname.replace(/(?!^)\/+$/, '')) +
	search
		.replace(/[?&]([^=&]*)[^&]*/g, (pair, name: string) => (isListed(query, name) ? pair : ''))
		.replace(/^./, '?') +
	(isOn(withHash) ? hash : '');

/** The `utm_*` parameters of an address, as they stand there. */
export const toCampaign = (href: string) => href.match(/[?&]utm_[^&#]+/g);

/**
 * Where the visitor came from, without query and hash; nothing when that is the site itself: `www.x` and `x` are one
 * site, and so are the hosts that it lists.
 */
export const toReferrer = (
	referrer: unknown,
	hosts: unknown,
	[address, from] = /.+?\/\/([^/]*)[^?]*/.exec(referrer as string) ?? [],
) => (address && !isListed(hosts, from!) ? address : undefined);
