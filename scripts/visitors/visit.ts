/**
 * One visit to the site, from the first page to the last: what is sent, and how long the visitor then takes. Pure: a function
 * of the random numbers, without clock or network. The browser sends page views and sign-ups (source `web`); the product's
 * own server reports what it did and what failed (source `api`).
 */
import { PAGE_VIEW } from '../../src/lib/protocol';
import { pick, toUuid, type Random } from './random';
import {
	DEEDS,
	FAILURES,
	MACHINES,
	NEXT,
	PLACES,
	PLANS,
	SITE,
	TITLES,
	type Arrival,
	type Page,
	type Visitor,
} from './site';

export type VisitorEvent = {
	name: string;
	source: 'web' | 'api';
	sessionId: string;
	properties: { [key: string]: string | number };
	context: Visitor;
};

/** `pauseMs`: until the same visitor does something again, if at all. */
export type Deed = { event: VisitorEvent; pauseMs: number };

/** Readers leave long before this; it bounds the few who would go round for ever. */
const MAX_PAGES = 40;
const READING_MS = { least: 3_000, mean: 17_000 };
const DOING_MS = { least: 1_000, mean: 5_000 };
const FAILURE_SHARE = 0.03;
const SIGNUP_SHARE = 0.6;
const ORDER_SHARE = 0.6;
const DEED_SHARE = 0.6;

/** Events of a visit on average, as measured over 20,000 visits (visit.test.ts holds it). */
export const EVENTS_PER_VISIT = 4;

export function* visit(random: Random, arrival: Arrival, landing: Page): Generator<Deed, void> {
	const sessionId = toUuid(random);
	const context = { ...pick(random, PLACES), ...pick(random, MACHINES) };
	let page: Page | null = landing;
	for (let count = 0; page !== null && count < MAX_PAGES; count++) {
		// only the first page has a referrer
		yield look(page, count === 0 ? arrival : {});
		if (random() < FAILURE_SHARE) {
			yield act('api', 'error', { message: pick(random, FAILURES), path: page });
		}
		if (page === '/app' && random() < DEED_SHARE) {
			yield act('api', pick(random, DEEDS), { words: Math.floor(10 + random() * 400) });
		}
		page = next(page);
		if (page === '/signup' && random() < SIGNUP_SHARE) {
			yield look(page, {});
			yield act('web', 'signup', { plan: 'free', path: page });
			page = '/app';
		} else if (page === '/checkout' && random() < ORDER_SHARE) {
			yield look(page, {});
			yield act('api', 'order', { ...pick(random, PLANS), currency: 'EUR' });
			page = '/app';
		}
	}

	function next(from: Page): Page | null {
		return pick(random, NEXT[from]);
	}

	function look(path: Page, from: Arrival): Deed {
		// as t.js sends it: the address without its query, whose utm_* parameters are properties of their own
		const properties = { url: SITE + path, path, title: TITLES[path], ...from };
		const event = { name: PAGE_VIEW, source: 'web', sessionId, properties, context } as const;
		return { event, pauseMs: pause(READING_MS) };
	}

	function act(source: 'web' | 'api', name: string, properties: VisitorEvent['properties']): Deed {
		return { event: { name, source, sessionId, properties, context }, pauseMs: pause(DOING_MS) };
	}

	function pause({ least, mean }: { least: number; mean: number }): number {
		return Math.round(least - (mean - least) * Math.log(1 - random()));
	}
}
