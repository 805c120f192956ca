import type { Dimension } from '$lib/dimensions';
import type {
	ActivityEvent,
	DashboardState,
	LiveFigures,
	Presence,
	Series,
	Table,
	Totals,
} from '$lib/protocol';
import { FEED_LENGTH } from '$lib/protocol';

export type Situation = {
	status: 'connecting' | 'live' | 'waiting' | 'offline' | 'failed';
	attempt?: number;
	/** seconds until the next attempt */
	retryIn?: number;
	lastError?: string;
	database?: 'down';
	writing?: 'readonly' | 'full';
	listener?: 'deaf';
	/** a large transaction is being counted */
	counting?: true;
	/** events a second; 0 stands still */
	rate: number;
	/** nothing has ever arrived */
	empty?: true;
	demo?: boolean;
	/** clauses of the page's filter */
	filter?: string[];
	/** its breakdowns */
	by?: Dimension[];
	/** who is here now; absent: presence is switched off */
	people?: Presence;
};

/** Every state of the page, by the name in `?case=`. */
export const CASES = {
	quiet: { status: 'live', rate: 0.7 },
	demo: { status: 'live', rate: 1.5, demo: true },
	busy: { status: 'live', rate: 10 },
	storm: { status: 'live', rate: 300 },
	empty: { status: 'live', rate: 0, empty: true },
	connecting: { status: 'connecting', rate: 0 },
	waiting: {
		status: 'waiting',
		rate: 0,
		attempt: 3,
		retryIn: 4,
		lastError: '503, the server is starting.',
	},
	offline: { status: 'offline', rate: 0 },
	failed: { status: 'failed', rate: 0, attempt: 10, retryIn: 48, lastError: 'nothing answered.' },
	down: { status: 'live', rate: 0, database: 'down' },
	readonly: { status: 'live', rate: 0, writing: 'readonly' },
	deaf: { status: 'live', rate: 0.7, listener: 'deaf' },
	counting: { status: 'live', rate: 0, counting: true },
	filtered: {
		status: 'live',
		rate: 0.4,
		filter: ['country:DE', '-device:mobile', 'path~docs'],
		by: ['path', 'host'],
		people: { active: 12, idle: 3, pages: { rows: [{ key: '/docs/start', count: 9 }], other: 3 } },
	},
	sources: {
		status: 'live',
		rate: 0.7,
		by: [
			...['referrer', 'channel', 'utm_campaign', 'utm_source'],
			...['utm_medium', 'utm_term', 'utm_content'],
		] as Dimension[],
	},
	places: { status: 'live', rate: 0.7, by: ['country', 'language'] },
	devices: { status: 'live', rate: 0.7, by: ['device', 'browser', 'os'] },
} satisfies Record<string, Situation>;
export type Case = keyof typeof CASES;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
	return () => {
		seed = (seed + 0x6d2b79f5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

const PATHS = ['/', '/pricing', '/docs/start', '/blog/one-table', '/changelog', '/docs/cursor'];
const COUNTRIES = ['DE', 'AT', 'CH'];
const NAMES = [
	['page_view', 0.62],
	['click', 0.78],
	['signup', 0.84],
	['checkout_started', 0.9],
	['order_paid', 0.95],
	['export_finished', 1],
] as const;

export function toEvent(id: number, at: number, random: () => number): ActivityEvent {
	const roll = random();
	const name = NAMES.find(([, below]) => roll < below)?.[0] ?? 'page_view';
	const path = PATHS[Math.floor(random() * PATHS.length)] ?? '/';
	const properties: ActivityEvent['properties'] =
		name === 'page_view'
			? { path, referrer: 'https://news.example', title: 'A page', utm_source: 'letter' }
			: name === 'order_paid'
				? { order: `A-${1000 + id}`, total: 49.9, currency: 'EUR', items: [{ sku: 'N-1', n: 2 }] }
				: name === 'signup'
					? { plan: 'pro', trial: true, note: '<img src=x onerror=alert(1)>' }
					: { path, button: 'start' };
	return {
		id,
		eventId: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
		name,
		source: name === 'order_paid' ? 'shop' : 'web',
		sessionId: `s-${Math.floor(random() * 40)}`,
		properties,
		context: { country: COUNTRIES[id % 3] ?? 'DE', device: 'desktop', browser: 'Firefox' },
		createdAt: new Date(at).toISOString(),
	};
}

/** Divides a figure among keys, each getting half of what is left; the last rest is "others". */
function divide(sum: number, keys: readonly string[]): Table {
	const rows: Table['rows'] = [];
	let other = sum;
	for (const key of keys) {
		const count = Math.ceil(other / 2);
		if (count === 0) break;
		rows.push({ key, count });
		other -= count;
	}
	return { rows, other };
}

/** Tables that add up to their figures. */
export function toTables({ pageViews, eventsCount }: Totals): LiveFigures['tables'] {
	return {
		host: divide(pageViews, ['shop.example', 'docs.example']),
		channel: divide(pageViews, ['search', 'direct', 'referral', 'social', 'mail']),
		utm_campaign: divide(pageViews, ['spring', 'letter', '']),
		utm_source: divide(pageViews, ['letter', 'search.example', '']),
		utm_medium: divide(pageViews, ['mail', 'cpc', '']),
		utm_term: divide(pageViews, ['']),
		utm_content: divide(pageViews, ['']),
		language: divide(eventsCount, ['de', 'en', 'fr', '']),
		device: divide(eventsCount, ['desktop', 'mobile', 'tablet', '']),
		browser: divide(eventsCount, ['Firefox', 'Chrome', 'Safari', '']),
		os: divide(eventsCount, ['Windows', 'macOS', 'Android', '']),
		path: divide(pageViews, PATHS),
		referrer: divide(pageViews, ['', 'news.example', 'search.example', 'letter.example']),
		name: divide(
			eventsCount,
			NAMES.map(([name]) => name),
		),
		country: divide(eventsCount, [...COUNTRIES, '']),
	};
}

type Start = Pick<DashboardState, 'totals' | 'tables' | 'previous' | 'series' | 'events'> & {
	arrivals: { id: number; at: number }[];
};

/** What the page is first rendered from: figures that fit each other, at database time `now`. */
export function toStart(name: Case, now: number): Start {
	const situation: Situation = CASES[name];
	const random = createRandom(7);
	const rate = situation.rate || 1.2;
	const values = (scale: number): Totals => ({
		pageViews: Math.round(rate * 1116 * scale),
		activeSessions: Math.round(9 + rate * 40 * scale),
		eventsCount: Math.round(rate * 1800 * scale),
		eventsPerMinute: Math.max(0, Math.round(rate * 60 * (scale + (random() - 0.5) * 0.25))),
	});
	if (situation.empty) {
		const totals = { pageViews: 0, activeSessions: 0, eventsCount: 0, eventsPerMinute: 0 };
		const tables = toTables(totals);
		const series: Series = { minutes: [], seconds: [] };
		const events: ActivityEvent[] = [];
		return { totals, tables, previous: null, series, events, arrivals: [] };
	}
	const toPoints = (stepMs: number) =>
		Array.from({ length: 30 }, (_, index) => {
			const events = Math.round(
				(rate * stepMs * (1 + 0.3 * Math.sin(index / 3) + 0.2 * (random() - 0.5))) / 1_000,
			);
			return {
				at: (Math.floor(now / stepMs) - 29 + index) * stepMs,
				events: index === 29 ? Math.round(events * ((now % stepMs) / stepMs)) : events,
				pageViews: Math.round(events * 0.62),
				sessions: Math.ceil(events * 0.4),
			};
		});
	const series: Series = { minutes: toPoints(60_000), seconds: toPoints(2_000) };
	const events: ActivityEvent[] = [];
	for (let at = now - 400, id = 5_000; events.length < FEED_LENGTH; id -= 1) {
		events.push(toEvent(id, at, random));
		at -= (-Math.log(1 - random()) * 1_000) / rate;
	}
	const arrivals = events
		.map(({ id, createdAt }) => ({ id, at: Date.parse(createdAt) }))
		.filter(({ at }) => at > now - 60_000)
		.reverse();
	const totals = values(1.05);
	return {
		totals,
		tables: toTables(totals),
		previous: { ...values(0.9), recordedAt: new Date(now - 1_800_000).toISOString() },
		series,
		events,
		arrivals,
	};
}
