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
	type Source,
	type Tick,
} from '../../protocol';
import { createAggregator, type Aggregator } from './windows';

/** The sources that somebody looks at, and a number that rises with each that nobody looked at before. */
export type Looked = { sources: Iterable<string>; turn: number };

export type State = {
	/** A source that nobody looked at until now has no series yet. */
	of(source: Source): DashboardState;
	/** The figures are those of the windows now, and the feed has these events more (oldest first). */
	move(cursor: string, events: ActivityEvent[], looked: Looked): void;
	/** The figures are those of the windows now; the position is the same. */
	settle(looked: Looked): void;
	/** The turn of what was looked at when the figures were made. */
	turn(): number;
	/** It was looked at then, and nothing is in its figures: they are those of every such source. */
	isEmpty(source: string): boolean;
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
	let turn = 0;
	let empty = new Set<Source>();

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

	function build(source: Source, figures = toFigures(source)): DashboardState {
		const old = states.get(source);
		return {
			source,
			cursor,
			...figures,
			series: old?.series ?? [],
			previous: old?.previous ?? null,
			events: feeds.get(source) ?? [],
		};
	}

	function settle(looked: Looked) {
		const watched = new Set<Source>([null, ...looked.sources]);
		for (const source of states.keys()) if (!watched.has(source)) states.delete(source);
		turn = looked.turn;
		empty = new Set([...watched].filter((source) => source !== null && !aggregator.has(source)));
		// they come from addresses, and may be any number of whatever somebody has typed: what they have in common is made once
		const [one] = empty;
		const nothing = one === undefined ? undefined : toFigures(one);
		for (const source of watched)
			states.set(source, build(source, empty.has(source) ? nothing : undefined));
	}

	const oldestFirst = [...start.events].reverse();
	feed(null, oldestFirst);
	for (const [source, events] of bySource(oldestFirst)) feed(source, events);
	states.set(null, { ...build(null), series: start.series, previous: start.previous });

	return {
		of: (source) => states.get(source) ?? build(source),
		move(to, events, looked) {
			cursor = to;
			feed(null, events);
			for (const [source, its] of bySource(events)) feed(source, its);
			settle(looked);
		},
		settle,
		turn: () => turn,
		isEmpty: (source) => empty.has(source),
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
