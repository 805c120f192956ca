/**
 * The small product that the simulated visitors use: a notes app with a site, a blog and a shop. Data alone: pages and
 * where people go from them, where they come from, what they buy and what fails.
 */
export type Page = keyof typeof TITLES;
type Weighted<T> = readonly (readonly [value: T, weight: number])[];

/** What the first page view of a visit says about where the visitor came from; empty: a typed address or a bookmark. */
export type Arrival = {
	referrer?: string;
	utm_source?: string;
	utm_medium?: string;
	utm_campaign?: string;
};

/** What is known of a visitor: in the demo their server says so, since all of them send from one machine. */
export type Visitor = {
	country: string;
	language: string;
	device: 'desktop' | 'mobile' | 'tablet';
	browser: string;
	os: string;
};

export const SITE = 'https://notes.example';

export const PLACES: Weighted<Pick<Visitor, 'country' | 'language'>> = [
	[{ country: 'US', language: 'en' }, 14],
	[{ country: 'DE', language: 'de' }, 12],
	[{ country: 'GB', language: 'en' }, 7],
	[{ country: 'FR', language: 'fr' }, 6],
	[{ country: 'IN', language: 'en' }, 5],
	[{ country: 'JP', language: 'ja' }, 4],
	[{ country: 'BR', language: 'pt' }, 4],
	[{ country: 'NL', language: 'nl' }, 3],
	[{ country: 'CA', language: 'en' }, 3],
	[{ country: 'CH', language: 'de' }, 2],
	[{ country: 'SE', language: 'sv' }, 2],
	[{ country: 'AU', language: 'en' }, 2],
	[{ country: 'PL', language: 'pl' }, 2],
];

export const MACHINES: Weighted<Omit<Visitor, 'country' | 'language'>> = [
	[{ device: 'desktop', browser: 'Chrome', os: 'Windows' }, 8],
	[{ device: 'desktop', browser: 'Firefox', os: 'Linux' }, 4],
	[{ device: 'desktop', browser: 'Safari', os: 'macOS' }, 5],
	[{ device: 'desktop', browser: 'Firefox', os: 'Windows' }, 3],
	[{ device: 'desktop', browser: 'Edge', os: 'Windows' }, 2],
	[{ device: 'mobile', browser: 'Safari', os: 'iOS' }, 6],
	[{ device: 'mobile', browser: 'Chrome', os: 'Android' }, 6],
	[{ device: 'tablet', browser: 'Safari', os: 'iOS' }, 1],
];

export const TITLES = {
	'/': 'Fieldnotes: notes that stay yours',
	'/features': 'Features',
	'/pricing': 'Pricing',
	'/docs': 'Documentation',
	'/docs/import': 'Importing your notes',
	'/blog/plain-files': 'Why plain files',
	'/blog/release-3': 'Fieldnotes 3',
	'/signup': 'Create your account',
	'/app': 'Your notes',
	'/checkout': 'Checkout',
} as const;

/** Where visitors go next, by weight; `null` leaves. */
export const NEXT: Record<Page, Weighted<Page | null>> = {
	'/': [
		['/features', 5],
		['/pricing', 4],
		['/docs', 2],
		['/blog/release-3', 1],
		['/signup', 2],
		[null, 6],
	],
	'/features': [
		['/pricing', 5],
		['/docs', 2],
		['/signup', 3],
		[null, 3],
	],
	'/pricing': [
		['/signup', 5],
		['/features', 2],
		['/checkout', 1],
		[null, 4],
	],
	'/docs': [
		['/docs/import', 4],
		['/', 1],
		['/signup', 1],
		[null, 3],
	],
	'/docs/import': [
		['/docs', 2],
		['/app', 2],
		[null, 3],
	],
	'/blog/plain-files': [
		['/', 3],
		['/blog/release-3', 2],
		[null, 6],
	],
	'/blog/release-3': [
		['/features', 3],
		['/pricing', 2],
		[null, 4],
	],
	'/signup': [
		['/pricing', 1],
		[null, 2],
	],
	'/app': [
		['/app', 3],
		['/checkout', 2],
		['/docs/import', 1],
		[null, 3],
	],
	'/checkout': [
		['/app', 2],
		[null, 2],
	],
};

export const ARRIVALS: Weighted<{ arrival: Arrival; landing: Page }> = [
	[{ arrival: {}, landing: '/' }, 12],
	[{ arrival: {}, landing: '/app' }, 9],
	[{ arrival: { referrer: 'https://www.google.com/' }, landing: '/' }, 12],
	[{ arrival: { referrer: 'https://www.google.com/' }, landing: '/docs/import' }, 4],
	[{ arrival: { referrer: 'https://duckduckgo.com/' }, landing: '/' }, 5],
	[{ arrival: { referrer: 'https://www.bing.com/' }, landing: '/pricing' }, 2],
	[{ arrival: { referrer: 'https://github.com/' }, landing: '/docs' }, 5],
	[{ arrival: { referrer: 'https://news.ycombinator.com/' }, landing: '/blog/plain-files' }, 3],
	[{ arrival: { referrer: 'https://www.reddit.com/r/selfhosted/' }, landing: '/features' }, 2],
	[{ arrival: { referrer: 'https://mastodon.social/' }, landing: '/blog/release-3' }, 2],
	[{ arrival: utm('newsletter', 'email', 'release-3'), landing: '/blog/release-3' }, 3],
	[{ arrival: utm('podcast', 'audio', 'autumn'), landing: '/' }, 1],
	[
		{
			arrival: { referrer: 'https://www.google.com/', ...utm('google', 'cpc', 'notes-app') },
			landing: '/pricing',
		},
		3,
	],
];

/** What brings many people at once. */
export const CROWDS: Weighted<{ arrival: Arrival; landing: Page }> = [
	[{ arrival: utm('newsletter', 'email', 'release-3'), landing: '/blog/release-3' }, 1],
	[{ arrival: { referrer: 'https://news.ycombinator.com/' }, landing: '/blog/plain-files' }, 1],
];

export const PLANS: Weighted<{ plan: string; amount: number }> = [
	[{ plan: 'personal', amount: 36 }, 6],
	[{ plan: 'family', amount: 60 }, 2],
	[{ plan: 'team', amount: 180 }, 1],
];

export const FAILURES: Weighted<string> = [
	['Import failed: file is not UTF-8', 3],
	['Sync timed out after 10 s', 2],
	['Card was declined', 2],
];

export const DEEDS: Weighted<string> = [
	['note_created', 5],
	['note_shared', 2],
	['search', 3],
];

function utm(utm_source: string, utm_medium: string, utm_campaign: string): Arrival {
	return { utm_source, utm_medium, utm_campaign };
}
