/**
 * Believable visitors of a small product that sells a notes app: they arrive from somewhere, read a few pages, and
 * some sign up or buy. Pure: a function of the random numbers, without clock or network.
 */
import { pick, toUuid, type Random } from './random';

export type VisitorEvent = {
	name: string;
	sessionId: string;
	properties: { [key: string]: string | number };
};

type Page = keyof typeof TITLES;
type Visit = { sessionId: string; arrival: { [key: string]: string }; page: Page; step: number };

const SITE = 'https://notes.example';
/** Visitors who are on the site at the same time. */
const VISITS_AT_ONCE = 18;

const TITLES = {
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
const NEXT: Record<Page, readonly (readonly [Page | null, number])[]> = {
	'/': [
		['/features', 5],
		['/pricing', 4],
		['/docs', 2],
		['/blog/release-3', 1],
		['/signup', 2],
		[null, 4],
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
		[null, 5],
	],
	'/blog/release-3': [
		['/features', 3],
		['/pricing', 2],
		[null, 4],
	],
	'/signup': [
		['/app', 6],
		['/pricing', 1],
		[null, 3],
	],
	'/app': [
		['/app', 4],
		['/checkout', 2],
		['/docs/import', 1],
		[null, 3],
	],
	'/checkout': [
		['/app', 5],
		[null, 2],
	],
};

const LANDINGS: readonly (readonly [Page, number])[] = [
	['/', 10],
	['/blog/plain-files', 4],
	['/blog/release-3', 3],
	['/docs', 3],
	['/pricing', 2],
	['/app', 4],
];

const ARRIVALS: readonly (readonly [{ [key: string]: string }, number])[] = [
	[{}, 8],
	[{ referrer: 'https://www.google.com/' }, 7],
	[{ referrer: 'https://duckduckgo.com/' }, 2],
	[{ referrer: 'https://news.ycombinator.com/' }, 3],
	[{ referrer: 'https://github.com/' }, 2],
	[{ utm_source: 'newsletter', utm_medium: 'email', utm_campaign: 'release-3' }, 3],
	[{ utm_source: 'podcast', utm_medium: 'audio', utm_campaign: 'autumn' }, 1],
];

const PLANS: readonly (readonly [{ plan: string; amount: number }, number])[] = [
	[{ plan: 'personal', amount: 36 }, 6],
	[{ plan: 'family', amount: 60 }, 2],
	[{ plan: 'team', amount: 180 }, 1],
];
const ERRORS: readonly (readonly [string, number])[] = [
	['Import failed: file is not UTF-8', 3],
	['Sync timed out after 10 s', 2],
	['Card was declined', 2],
];
const DEEDS: readonly (readonly [string, number])[] = [
	['note_created', 5],
	['note_shared', 2],
	['search', 3],
];
const ERROR_SHARE = 0.02;

/** Returns a function that gives the next thing that somebody does. */
export function createVisitors(random: Random): () => VisitorEvent {
	const visits: Visit[] = [];

	function arrive(): Visit {
		const visit = {
			sessionId: toUuid(random),
			arrival: pick(random, ARRIVALS),
			page: pick(random, LANDINGS),
			step: 0,
		};
		visits.push(visit);
		return visit;
	}

	return function next() {
		const at = Math.floor(random() * VISITS_AT_ONCE);
		const visit = visits[at];
		if (!visit) return pageView(arrive());
		if (random() < ERROR_SHARE)
			return act(visit, 'error', { message: pick(random, ERRORS), path: visit.page });
		if (visit.step > 0 && visit.page === '/signup' && random() < 0.7) {
			visit.page = '/app';
			return act(visit, 'signup', { plan: 'free', path: '/signup' });
		}
		if (visit.page === '/checkout' && random() < 0.7) {
			visit.page = '/app';
			return act(visit, 'order', { ...pick(random, PLANS), currency: 'EUR' });
		}
		if (visit.page === '/app' && random() < 0.5) {
			return act(visit, pick(random, DEEDS), { words: Math.floor(10 + random() * 400) });
		}
		if (visit.step > 0) {
			const page = pick(random, NEXT[visit.page]);
			if (page === null) {
				visits.splice(at, 1);
				return pageView(arrive());
			}
			visit.page = page;
		}
		return pageView(visit);
	};
}

function pageView(visit: Visit): VisitorEvent {
	// where somebody came from belongs to the first page; on the others it is the page before
	const arrival = visit.step === 0 ? visit.arrival : {};
	const query = new URLSearchParams(Object.entries(arrival).filter(([key]) => key !== 'referrer'));
	const url = `${SITE}${visit.page}${query.size > 0 ? `?${query}` : ''}`;
	return act(visit, 'page_view', { url, path: visit.page, title: TITLES[visit.page], ...arrival });
}

function act(visit: Visit, name: string, properties: VisitorEvent['properties']): VisitorEvent {
	visit.step++;
	return { name, sessionId: visit.sessionId, properties };
}
