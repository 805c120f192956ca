/** Events with every dimension and five properties, as a busy shop sends them: the same seed gives the same events. */
import { createRandom, type Random } from '../../scripts/visitors/random';
import type { Dimension } from '../../src/lib/dimensions';
import { parseFilter, type Filter } from '../../src/lib/filter';
import type { Json } from '../../src/lib/protocol';

export type BenchRow = {
	name: string;
	source: string;
	sessionId: string;
	properties: { [key: string]: Json };
	context: { [key: string]: string };
};

/** Events of one session. */
const PER_SESSION = 8;

const numbered = (count: number, text: (i: number) => string) =>
	Array.from({ length: count }, (_, i) => text(i));
const VALUES = {
	name: ['page_view', 'page_view', 'page_view', 'click', 'signup', 'order'],
	source: ['web', 'web', 'shop', 'api'],
	path: numbered(2_000, (i) => `/${['docs', 'shop', 'blog', 'help'][i % 4]}/article-${i}`),
	referrer: numbered(200, (i) => `https://site-${i}.example/`),
	utm: numbered(40, (i) => `campaign ${i}`),
	country: numbered(60, (i) => String.fromCharCode(65 + (i % 26), 65 + Math.floor(i / 3))),
	device: ['desktop', 'desktop', 'mobile', 'mobile', 'tablet'],
	browser: ['Chrome', 'Chrome', 'Safari', 'Firefox', 'Edge', 'Samsung Internet'],
	os: ['Windows', 'macOS', 'iOS', 'Android', 'Linux'],
	language: ['en', 'de', 'fr', 'es', 'it', 'pl', 'nl', 'pt'],
	channel: ['search', 'social', 'mail', 'ads', 'campaign', 'referral'],
	host: ['shop.example', 'www.shop.example', 'blog.shop.example'],
	plan: ['free', 'pro', 'team'],
	variant: ['a', 'b', 'c', 'd'],
} as const;

/** Low places far more often than high ones, as pages and countries are. */
const often = <T>(random: Random, values: readonly T[]): T =>
	values[Math.floor(values.length * random() ** 3)] as T;

export function createRows(seed: number): () => BenchRow {
	const random = createRandom(seed);
	let made = 0;
	return () => {
		const session = Math.floor(made++ / PER_SESSION) - Math.floor(random() * 40);
		return {
			name: often(random, VALUES.name),
			source: often(random, VALUES.source),
			sessionId: `5e551000-0000-4000-8000-${String(Math.abs(session)).padStart(12, '0')}`,
			properties: {
				path: often(random, VALUES.path),
				referrer: often(random, VALUES.referrer),
				utm_source: often(random, VALUES.utm),
				utm_medium: often(random, VALUES.channel),
				utm_campaign: often(random, VALUES.utm),
				utm_term: often(random, VALUES.utm),
				utm_content: often(random, VALUES.utm),
				plan: often(random, VALUES.plan),
				variant: often(random, VALUES.variant),
				amount: Math.floor(random() * 500),
				step: Math.floor(random() * 9),
				paid: random() < 0.3,
			},
			context: {
				country: often(random, VALUES.country),
				device: often(random, VALUES.device),
				browser: often(random, VALUES.browser),
				os: often(random, VALUES.os),
				language: often(random, VALUES.language),
				channel: often(random, VALUES.channel),
				host: often(random, VALUES.host),
			},
		};
	};
}

/** What people ask: each of its own dimension, from those that let much through to those that let little. */
const CLAUSES: ((random: Random) => string)[] = [
	(random) => `name:${often(random, VALUES.name)}`,
	(random) => `country:${often(random, VALUES.country)}`,
	(random) => `device:${often(random, VALUES.device)}`,
	(random) => `path^/${['docs', 'shop', 'blog', 'help'][Math.floor(random() * 4)]}`,
	(random) => `-browser:${often(random, VALUES.browser)}`,
	(random) => `os:${often(random, VALUES.os)}`,
	(random) => `referrer~site-${Math.floor(random() * 10)}`,
	(random) => `utm_source:${often(random, VALUES.utm)}`,
	(random) => `props.amount>=${50 * Math.floor(random() * 10)}`,
	(random) => `props.plan:${often(random, VALUES.plan)}`,
	(random) => `source:${often(random, VALUES.source)}`,
	(random) => `language:${often(random, VALUES.language)}`,
];
export const MAX_CLAUSES = CLAUSES.length;

/** Different filters of `least` to `most` clauses. */
export function createFilters(seed: number, count: number, least = 2, most = 3): Filter[] {
	const random = createRandom(seed);
	const filters = new Map<string, Filter>();
	while (filters.size < count) {
		const left = [...CLAUSES];
		const length = least + Math.floor(random() * (most - least + 1));
		const texts = Array.from({ length }, () => {
			const [clause] = left.splice(Math.floor(random() * left.length), 1);
			return (clause as (typeof CLAUSES)[number])(random);
		});
		const parsed = parseFilter(texts);
		if (!parsed.ok) throw new Error(parsed.error);
		filters.set(JSON.stringify(parsed.filter), parsed.filter);
	}
	return [...filters.values()];
}

/** The breakdowns of the first page. */
export const BY: Dimension[] = ['path', 'referrer', 'name', 'country'];
