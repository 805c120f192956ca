/**
 * The state that pages are rendered from, in all and for each source that somebody looks at. It is replaced in one
 * synchronous step with the ring's head, and knows neither the database nor frames. Ticks are recorded of all sources
 * together; the series of one source is what this process has seen of it.
 */
import {
	FEED_LENGTH,
	SERIES_LENGTH,
	type ActivityEvent,
	type DashboardState,
	type Figures,
	type Tick,
} from '../protocol';
import { createAggregator, type Aggregator } from './aggregate';

/** null: all sources */
export type Source = string | null;

export type State = {
	/** A source that nobody looked at until now has no series yet. */
	of(source: Source): DashboardState;
	/** The figures are those of the windows now, and the feed has these events more (oldest first). */
	move(cursor: string, events: ActivityEvent[], sources: Iterable<string>): void;
	/** The figures are those of the windows now; the position is the same. */
	settle(sources: Iterable<string>): void;
	/** A tick of all was recorded; each source looked at gets one of its own figures. */
	tick(tick: Tick, previous: Tick | null): void;
};

/** The feeds of so many sources are kept; the one that was silent for longest goes first. */
const MAX_FEEDS = 64;

const NOTHING = createAggregator(0);

/** What is shown before the first reading. */
export function createEmptyState(): State {
	return createState({
		aggregator: NOTHING,
		cursor: '',
		series: [],
		previous: null,
		events: [],
	});
}

/** @param events newest first, of each source at most FEED_LENGTH */
export function createState(start: {
	aggregator: Aggregator;
	cursor: string;
	series: Tick[];
	previous: Tick | null;
	events: ActivityEvent[];
}): State {
	const { aggregator } = start;
	const states = new Map<Source, DashboardState>();
	const feeds = new Map<Source, ActivityEvent[]>();
	let { cursor } = start;

	function toFigures(source: Source): Figures {
		return {
			totals: aggregator.totals(source),
			tables: aggregator.tables(source),
			at: new Date(aggregator.at()).toISOString(),
		};
	}

	function feed(source: Source, events: ActivityEvent[]) {
		const newest = events.slice(-FEED_LENGTH).reverse();
		const kept = [...newest, ...(feeds.get(source) ?? [])].slice(0, FEED_LENGTH);
		// the last to be set is the last to be dropped
		feeds.delete(source);
		feeds.set(source, kept);
		if (feeds.size <= MAX_FEEDS) return;
		for (const old of feeds.keys()) if (old !== null) return void feeds.delete(old);
	}

	function build(source: Source): DashboardState {
		const old = states.get(source);
		return {
			source,
			cursor,
			...toFigures(source),
			series: old?.series ?? [],
			previous: old?.previous ?? null,
			events: feeds.get(source) ?? [],
		};
	}

	function settle(sources: Iterable<string>) {
		const watched = new Set<Source>([null, ...sources]);
		for (const source of states.keys()) if (!watched.has(source)) states.delete(source);
		for (const source of watched) states.set(source, build(source));
	}

	const oldestFirst = [...start.events].reverse();
	feed(null, oldestFirst);
	for (const [source, events] of bySource(oldestFirst)) feed(source, events);
	states.set(null, { ...build(null), series: start.series, previous: start.previous });

	return {
		of: (source) => states.get(source) ?? build(source),
		move(to, events, sources) {
			cursor = to;
			feed(null, events);
			for (const [source, its] of bySource(events)) feed(source, its);
			settle(sources);
		},
		settle,
		tick(tick, previous) {
			for (const [source, state] of states) {
				const own = source === null ? tick : { ...state.totals, recordedAt: tick.recordedAt };
				const others = state.series.filter(({ recordedAt }) => recordedAt !== own.recordedAt);
				states.set(source, {
					...state,
					series: [...others, own].slice(-SERIES_LENGTH),
					previous: source === null ? previous : null,
				});
			}
		},
	};
}

function bySource(events: ActivityEvent[]): Map<string, ActivityEvent[]> {
	const groups = new Map<string, ActivityEvent[]>();
	for (const event of events) {
		const group = groups.get(event.source);
		if (group) group.push(event);
		else groups.set(event.source, [event]);
	}
	return groups;
}
