/**
 * What pages are rendered from: for each view its figures, chart and feed at the ring's head. All views are replaced in
 * one synchronous step with the head. Between two steps the windows may be ahead (a drain is running), so nothing is
 * read from them then: a view that is opened meanwhile is admitted after the drain.
 */
import {
	FEED_LENGTH,
	type ActivityEvent,
	type DashboardState,
	type LiveFigures,
	type PeoplePoint,
	type Series,
	type Tick,
} from '../../protocol';
import { toFilterTexts } from '../../filter';
import { withTickPeople } from '../../presence';
import { createBatchMatch } from './match-row';
import type { OpenView, Views, ViewSpec } from './views';
import type { WindowStore } from './window-store';

/** A view at the ring's head. */
export type Shown = {
	readonly open: OpenView;
	readonly figures: LiveFigures;
	readonly series: Series;
	/** newest first, at most FEED_LENGTH */
	readonly events: readonly ActivityEvent[];
	/** those that the last step brought, oldest first */
	readonly arrived: readonly ActivityEvent[];
	/** The figures are those of an older position, with these events; null: they are those of the head. */
	readonly settled: { cursor: string; events: readonly ActivityEvent[] } | null;
};

export type State = {
	/** undefined: the view was not admitted. */
	shown(key: string): Shown | undefined;
	all(): Iterable<Shown>;
	/** Admits a view that is complete, while no drain runs. */
	admit(open: OpenView): Shown;
	/** The whole of a view, at the newest position of which it has figures. */
	of(shown: Shown): DashboardState;
	/** What has changed in the chart since the last call; null: nothing in the view has. */
	take(shown: Shown): Series | null;
	/**
	 * The windows stand at `cursor`, and the feed has these events more (oldest first).
	 * @param isCounting the windows are ahead of `cursor`: figures and charts stay as they were
	 */
	move(cursor: string, events: readonly ActivityEvent[], isCounting?: boolean): void;
	/** The windows have moved in time; the position is the same. */
	settle(): void;
	/** A tick of all events was recorded, and there is one of half an hour ago. */
	setTick(tick: Tick, previous: Tick | null): void;
	cursor(): string;
	/** the time of the figures */
	at(): number;
	/** The last step left the figures as they were. */
	isCounting(): boolean;
};

/** Events among which the feed of a new view is looked for. */
export const RECENT_EVENTS = 5_000;

/** Whether ticks, which are recorded of everything, are the view's own. */
export function isEverything({ filter, bound = [] }: ViewSpec): boolean {
	return filter.length + bound.length === 0;
}

/** What a page shows before the first reading. */
export function createEmptyState({ filter, bound = [], by }: ViewSpec): DashboardState {
	return {
		totals: { pageViews: 0, activeSessions: 0, eventsCount: 0, eventsPerMinute: 0 },
		tables: Object.fromEntries(by.map((dimension) => [dimension, { rows: [], other: 0 }])),
		at: new Date(0).toISOString(),
		blurred: [],
		reach: null,
		cursor: '',
		filter: toFilterTexts(filter),
		bound: toFilterTexts(bound),
		by: [...by],
		series: { minutes: [], seconds: [] },
		previous: null,
		events: [],
	};
}

/** @param events newest first, at most RECENT_EVENTS */
export function createState({
	store,
	views,
	cursor: start,
	previous: before,
	peopleMinutes: minutes = [],
	events,
}: {
	store: WindowStore;
	views: Views;
	cursor: string;
	previous: Tick | null;
	peopleMinutes?: PeoplePoint[];
	events: readonly ActivityEvent[];
}): State {
	let cursor = start;
	let previous = before;
	let peopleMinutes = minutes;
	/** oldest first */
	let recent = [...events].reverse();
	const shown = new Map<string, Shown>();
	const versions = new Map<string, number>();
	/** views that have changed since the last frame */
	const dirty = new Set<string>();
	let states = new WeakMap<Shown, { cursor: string; state: DashboardState }>();
	let figuresAt = store.at();
	let isHeld = false;

	function newestOf({ match }: OpenView): ActivityEvent[] {
		const found: ActivityEvent[] = [];
		for (let i = recent.length - 1; i >= 0 && found.length < FEED_LENGTH; i--) {
			const event = recent[i] as ActivityEvent;
			if (match(event)) found.push(event);
		}
		return found;
	}

	function toFigures({ view }: OpenView): LiveFigures {
		return { ...view.figures(), at: new Date(store.at()).toISOString() };
	}

	function renew(open: OpenView, old: Shown, arrived: readonly ActivityEvent[], before: string) {
		const { key, view } = open;
		const events =
			arrived.length === 0
				? old.events
				: [...arrived.slice(-FEED_LENGTH).reverse(), ...old.events].slice(0, FEED_LENGTH);
		if (isHeld) {
			const settled = old.settled ?? { cursor: before, events: old.events };
			return shown.set(key, { ...old, open, events, arrived, settled });
		}
		const isSame = versions.get(key) === view.version();
		const at = new Date(store.at()).toISOString();
		const figures = isSame ? { ...old.figures, at } : toFigures(open);
		const series = isSame ? old.series : view.series();
		if (!isSame) dirty.add(key);
		versions.set(key, view.version());
		return shown.set(key, { open, figures, series, events, arrived, settled: null });
	}

	function step(arrived: readonly ActivityEvent[], isCounting: boolean, before = cursor) {
		isHeld = isCounting;
		if (!isHeld) figuresAt = store.at();
		const matching = createBatchMatch(arrived);
		for (const [key, old] of shown) {
			const open = views.get(key);
			if (open) renew(open, old, matching(open.groups), before);
			else {
				shown.delete(key);
				versions.delete(key);
				dirty.delete(key);
			}
		}
	}

	return {
		shown: (key) => shown.get(key),
		all: () => shown.values(),
		admit(open) {
			const known = shown.get(open.key);
			if (known) return known;
			const { key, view } = open;
			versions.set(key, view.version());
			view.changedSeries();
			const one = {
				open,
				figures: toFigures(open),
				series: view.series(),
				events: newestOf(open),
				arrived: [],
				settled: null,
			};
			shown.set(key, one);
			return one;
		},
		of(one) {
			const known = states.get(one);
			if (known?.cursor === cursor) return known.state;
			const { open, figures, series, settled } = one;
			const events = settled?.events ?? one.events;
			const isAll = isEverything(open);
			const state: DashboardState = {
				...figures,
				cursor: settled?.cursor ?? cursor,
				filter: open.texts,
				bound: toFilterTexts(open.bound ?? []),
				by: [...open.by],
				series,
				previous: isAll ? previous : null,
				peopleMinutes: isAll ? peopleMinutes : null,
				events: [...events],
			};
			states.set(one, { cursor, state });
			return state;
		},
		take: ({ open }) => (!isHeld && dirty.delete(open.key) ? open.view.changedSeries() : null),
		move(to, arrived, isCounting = false) {
			const before = cursor;
			cursor = to;
			recent.push(...arrived);
			if (recent.length > 2 * RECENT_EVENTS) recent = recent.slice(-RECENT_EVENTS);
			step(arrived, isCounting, before);
		},
		settle: () => step([], false),
		setTick(tick, before) {
			previous = before;
			states = new WeakMap();
			peopleMinutes = withTickPeople(peopleMinutes, tick);
		},
		cursor: () => cursor,
		at: () => figuresAt,
		isCounting: () => isHeld,
	};
}
