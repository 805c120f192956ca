/** What the panel says of a session's events. Pure. */
import { toValueText } from '../../breakdowns';
import { toCount, toDuration, type Look } from '../../format';
import { COUNT_WINDOW_MS, PAGE_VIEW, type ActivityEvent, type Presence } from '../../protocol';
import type { SessionView } from '../../session';

export type Step = {
	event: ActivityEvent;
	/** since the event before; null: it is the first that is known */
	gapMs: number | null;
	/** the first that is older than the half hour of the page, when a newer one is there */
	isBeforeWindow: boolean;
};

/** @param events newest first @param now ms of the database's clock */
export function toSteps(events: readonly ActivityEvent[], now: number): Step[] {
	const times = events.map(({ createdAt }) => Date.parse(createdAt));
	const isOld = (at: number) => now - at >= COUNT_WINDOW_MS;
	return events.map((event, i) => {
		const [at, older, newer] = [times[i] as number, times[i + 1], times[i - 1]];
		return {
			event,
			gapMs: older === undefined ? null : at - older,
			isBeforeWindow: newer !== undefined && isOld(at) && !isOld(newer),
		};
	});
}

const DAY_MS = 86_400_000;

/** A gap as people say it; null: too short to be said. */
export function toGapText(ms: number | null, look: Look): string | null {
	if (ms === null || ms < 1_000) return null;
	const days = Math.round(ms / DAY_MS);
	return ms < 2 * DAY_MS ? toDuration(ms, look) : `${toCount(days, look)} days`;
}

/** `page`: where it is now, if that is known. */
export type NowState = { state: 'active' | 'idle' | 'gone'; page: string | null } | null;

/** What the session is doing now; null: not known. */
export function toNowState(people: Presence | undefined): NowState {
	if (people === undefined || people === 'unknown') return null;
	const page = people.pages.rows[0]?.key || null;
	if (people.active > 0) return { state: 'active', page };
	return people.idle > 0 ? { state: 'idle', page } : { state: 'gone', page: null };
}

export type Fact = { label: string; text: string; clause?: string };

const HOST = /^[a-z][a-z0-9+.-]*:\/\/(?:www\.)?([^/?#]*)/i;

/** Where it came from, from what and where it is seen, and who it is, as far as events say. */
export function toFacts(
	{ events, start, user }: Pick<SessionView, 'events' | 'start' | 'user'>,
	look: Look,
): Fact[] {
	const known = [...events, ...(start ? [start] : [])];
	const context = known.find((event) => event.context?.device ?? event.context?.country)?.context;
	const name = (key: 'country' | 'language' | 'device') =>
		context?.[key] && toValueText(key, context[key], look);
	const join = (...parts: (string | undefined | null | false)[]) =>
		parts.filter(Boolean).join(' · ');
	const facts: Fact[] = [
		{ label: 'Came from', text: start ? toArrival(start, look) : '' },
		{ label: 'Place', text: join(name('country'), name('language')) },
		{ label: 'Device', text: join(name('device'), context?.browser, context?.os) },
		{ label: 'Sent by', text: [...new Set(known.map(({ source }) => source))].join(', ') },
	];
	if (user) facts.push({ label: 'User', text: user.id, clause: `user:${user.id}` });
	return facts.filter(({ text }) => text !== '');
}

function toArrival({ name, properties, context }: ActivityEvent, look: Look): string {
	const text = (key: string) => {
		const value = properties[key];
		return typeof value === 'string' && value !== '' ? value : null;
	};
	const referrer = text('referrer');
	const parts = [
		referrer && (HOST.exec(referrer)?.[1] ?? referrer),
		context?.channel && toValueText('channel', context.channel, look),
		text('utm_campaign') && `campaign ${text('utm_campaign')}`,
		text('utm_source') && [text('utm_source'), text('utm_medium')].filter(Boolean).join(' / '),
	].filter(Boolean);
	if (parts.length > 0) return parts.join(' · ');
	return name === PAGE_VIEW ? 'Direct or internal' : '';
}

/** What an event is about, in one line: its page, else its first values. */
export function toSubject({ properties }: ActivityEvent): string {
	if (typeof properties.path === 'string') return properties.path;
	return Object.entries(properties)
		.filter(([, value]) => typeof value !== 'object')
		.slice(0, 2)
		.map(([key, value]) => `${key} ${String(value)}`)
		.join('  ');
}
