/**
 * Every session that is here, and for each view how many there are, on which pages and from where. Pure: what was read goes in, with the database's
 * time, and figures come out. A view is counted once when it is asked for, then kept up session by session.
 */
import { toFilterTexts, type Condition } from '../../filter';
import { toEventClauses, toPresenceState, type PresenceState, type Signs } from '../../presence';
import {
	TABLE_LENGTH,
	type EventContext,
	type People,
	type Presence,
	type Table,
} from '../../protocol';
import { readDimension, type DimensionRow } from '../live/dimension-values';
import { createRowMatch } from '../live/match-row';
import type { PresenceRow } from './presence-row';
import { ALL_MS, type Reading } from './read-presence';

/** Sessions whose last event is remembered, also of those who are not here (yet). */
const MAX_EVENT_TIMES = 100_000;
/** Longer than an event makes a session active or keeps it here. */
const EVENT_TIMES_MS = 60_000;

export type SessionEvent = { source: string; sessionId: string | null; createdAt: number };

export type AllPeople = {
	/** @returns false: heartbeats of sessions that are not known here; everything should be read */
	read(reading: Reading): boolean;
	saw(event: SessionEvent): void;
	/** The same object while nothing has changed. `unknown`: before the first reading too. */
	of(condition: Condition): Presence;
	/** The sessions that `of` counts, active ones first; null: not known. @param limit of them at most */
	list(condition: Condition, limit: number): { people: Here[]; more: number } | null;
	/** Drops the views that are not among these. */
	keep(conditions: Iterable<Condition>): void;
};

/** One session that is here. */
export type Here = Pick<PresenceRow, 'source' | 'sessionId' | 'context'> & {
	state: 'active' | 'idle';
	path: string | null;
	referrer: string | null;
};

/** What is counted of a session that is here. */
type Places = { path: string; referrer: string };

type Session = {
	key: string;
	dimensions: DimensionRow;
	/** what the filter and the pages are read from */
	content: string;
	places: Places;
	signs: Signs;
	state: PresenceState;
};

/** Everyone who was heard of, by session; empty until rows are taken. */
export function createPeople(): AllPeople {
	const sessions = new Map<string, Session>();
	const eventTimes = new Map<string, number>();
	const views = new Map<string, PeopleView | 'unknown'>();
	let at: number | null = null;

	function take(row: PresenceRow): boolean {
		const known = sessions.get(row.id);
		const key = toKey(row);
		const { visible, leftAt } = row;
		const heardAt = Math.max(row.heardAt, known?.signs.heardAt ?? -Infinity);
		const inputAt = later(row.inputAt, known?.signs.inputAt ?? null);
		const signs = { visible, heardAt, inputAt, leftAt, eventAt: null };
		const content = JSON.stringify([row.path, row.origin, row.context]);
		if (known?.content === content) {
			known.signs = signs;
			return false;
		}
		const dimensions = toDimensionRow(row);
		const places = {
			path: readDimension(dimensions, 'path') ?? '',
			referrer: readDimension(dimensions, 'referrer') ?? '',
		};
		const state = known?.state ?? 'gone';
		sessions.set(row.id, { key, dimensions, content, places, signs, state });
		return true;
	}

	function show(id: string, session: Session | null, isNew: boolean) {
		for (const view of views.values()) if (view !== 'unknown') view.show(id, session, isNew);
	}

	function viewOf(condition: Condition): PeopleView | 'unknown' {
		const key = toConditionKey(condition);
		const known = views.get(key);
		if (known) return known;
		const view = createView(condition);
		if (view !== 'unknown')
			for (const [id, session] of sessions)
				if (session.state !== 'gone') view.show(id, session, true);
		views.set(key, view);
		return view;
	}

	return {
		read(reading) {
			at = reading.at;
			const changed = new Set<string>();
			for (const row of reading.rows) if (take(row)) changed.add(row.id);
			let isComplete = true;
			for (const beats of reading.beats)
				beats.heard.forEach((id, index) => {
					const signs = sessions.get(id)?.signs;
					if (!signs) return (isComplete = false);
					const idle = beats.idle[index] ?? null;
					signs.heardAt = Math.max(signs.heardAt, beats.at);
					if (idle !== null) signs.inputAt = later(signs.inputAt, beats.at - idle);
				});
			for (const [id, session] of sessions) {
				session.signs.eventAt = eventTimes.get(session.key) ?? null;
				const state = toPresenceState(session.signs, at);
				const isNew = changed.has(id);
				if (state !== session.state || isNew) {
					// who was not here was not counted, and has to be matched
					const wasGone = session.state === 'gone';
					session.state = state;
					show(id, state === 'gone' ? null : session, isNew || wasGone);
				}
				if (state === 'gone' && isOver(session.signs, at)) sessions.delete(id);
			}
			for (const [key, time] of eventTimes) {
				if (at - time < EVENT_TIMES_MS) break;
				eventTimes.delete(key);
			}
			return isComplete;
		},
		saw({ source, sessionId, createdAt }) {
			if (sessionId === null || (at !== null && at - createdAt > EVENT_TIMES_MS)) return;
			const key = toKey({ source, sessionId });
			const before = eventTimes.get(key) ?? -Infinity;
			// again at the end: the first are the oldest
			eventTimes.delete(key);
			eventTimes.set(key, Math.max(before, createdAt));
			if (eventTimes.size > MAX_EVENT_TIMES)
				eventTimes.delete(eventTimes.keys().next().value as string);
		},
		of(condition) {
			if (at === null) return 'unknown';
			const view = viewOf(condition);
			return view === 'unknown' ? view : view.people();
		},
		list(condition, limit) {
			const view = at === null ? 'unknown' : viewOf(condition);
			if (view === 'unknown') return null;
			const ids = view.ids(limit);
			const people = ids.flatMap((id) => toHere(sessions.get(id)));
			return { people, more: view.size() - ids.length };
		},
		keep(conditions) {
			const kept = new Set([...conditions].map(toConditionKey));
			for (const key of views.keys()) if (!kept.has(key)) views.delete(key);
		},
	};
}

/** Its row is no longer in the table, or says itself that it left. */
function isOver({ leftAt, heardAt }: Signs, at: number): boolean {
	return leftAt !== null || at - heardAt > ALL_MS;
}

const later = (a: number | null, b: number | null) =>
	a === null ? b : b === null ? a : Math.max(a, b);
const toKey = ({ source, sessionId }: { source: string; sessionId: string }) =>
	`${source}\0${sessionId}`;

function toHere(session: Session | undefined): Here[] {
	if (!session || session.state === 'gone') return [];
	const { dimensions, places, state } = session;
	const { source, sessionId, context } = dimensions;
	const { path, referrer } = places;
	return [
		{
			...{ source, sessionId: sessionId ?? '', state },
			context: context as EventContext | null,
			...{ path: path || null, referrer: referrer || null },
		},
	];
}

/** Equal for views with the same people. */
export function toConditionKey({ filter, bound = [] }: Condition): string {
	return JSON.stringify([toFilterTexts(filter), toFilterTexts(bound)]);
}

/** What the filter reads of an event, of a session. */
function toDimensionRow({ source, sessionId, path, origin, context }: PresenceRow): DimensionRow {
	const page = { path, slash: path !== null && path.length > 1 && path.endsWith('/') };
	const { channel, ...properties } = origin ?? {};
	const known = channel === undefined ? context : { ...context, channel };
	return { name: '', source, sessionId, properties: { ...properties, ...page }, context: known };
}

type PeopleView = {
	/** @param session null: not here @param isNew whether it matches is not known yet */
	show(id: string, session: Session | null, isNew: boolean): void;
	people(): People;
	/** Active ones first, then by their ids. @param limit of them at most */
	ids(limit: number): string[];
	size(): number;
};

function createView(condition: Condition): PeopleView | 'unknown' {
	const texts = [...toFilterTexts(condition.filter), ...toFilterTexts(condition.bound ?? [])];
	if (toEventClauses(texts).length > 0) return 'unknown';
	const match = createRowMatch(condition);
	const members = new Map<string, { isActive: boolean; places: Places }>();
	const pages = new Map<string, number>();
	const referrers = new Map<string, number>();
	let active = 0;
	let people: People | null = null;

	function count({ isActive, places }: { isActive: boolean; places: Places }, by: 1 | -1) {
		people = null;
		if (isActive) active += by;
		add(pages, places.path, by);
		add(referrers, places.referrer, by);
	}

	return {
		show(id, session, isNew) {
			const before = members.get(id);
			const isIn = session !== null && (isNew ? match(session.dimensions) : before !== undefined);
			const after = isIn ? { isActive: session.state === 'active', places: session.places } : null;
			if (before) count(before, -1);
			if (after) count(after, 1);
			if (after) members.set(id, after);
			else members.delete(id);
		},
		size: () => members.size,
		ids: (limit) =>
			[...members]
				.sort(([a, one], [b, other]) =>
					one.isActive === other.isActive ? (a < b ? -1 : 1) : one.isActive ? -1 : 1,
				)
				.slice(0, limit)
				.map(([id]) => id),
		people: () =>
			(people ??= {
				active,
				idle: members.size - active,
				pages: toTable(pages, members.size),
				referrers: toTable(referrers, members.size),
			}),
	};
}

function add(counts: Map<string, number>, key: string, by: 1 | -1) {
	const count = (counts.get(key) ?? 0) + by;
	if (count === 0) counts.delete(key);
	else counts.set(key, count);
}

/** The values with most people; of as many, in the order of their texts, so that no two instances differ. */
function toTable(counts: ReadonlyMap<string, number>, all: number): Table {
	const rows = [...counts]
		.map(([key, count]) => ({ key, count }))
		.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
		.slice(0, TABLE_LENGTH);
	return { rows, other: rows.reduce((rest, { count }) => rest - count, all) };
}
