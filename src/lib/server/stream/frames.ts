/**
 * States and batches as frames of the stream: encoded once for each view that is watched. Views in which nothing
 * has changed share the bytes of one small frame. It decides what goes into a frame, not when. Pure.
 */
import type {
	ActivityEvent,
	DashboardState,
	LiveFigures,
	Metrics,
	Ping,
	Presence,
	Series,
	StreamEventName,
	StreamEvents,
	Tick,
} from '../../protocol';
import { isEverything, type Shown, type State } from '../live/state';
import type { OpenView } from '../live/views';
import type { Batch } from '../reader/drain';
import { toActivityEvent } from '../reader/row';
import type { Frame } from './ring';
import type { WatchedViews } from './watched-views';
import { toBytes, toComment } from './sse';

const NOTHING = new Uint8Array();
const NO_CHANGE: Series = { minutes: [], seconds: [] };

/** @param id the cursor, for events that move it */
export function encode<E extends StreamEventName>(
	event: E,
	data: StreamEvents[E],
	id?: string,
): Uint8Array {
	return toBytes({ event, data: JSON.stringify(data), id });
}

/** The same, as a frame of the ring. */
export function toFrame<E extends StreamEventName>(
	event: E,
	data: StreamEvents[E],
	id?: string,
): Frame {
	const bytes = encode(event, data, id);
	return id === undefined ? { event, bytes } : { event, bytes, id };
}

/** Which views frames are made for. */
type Watched = Pick<WatchedViews, 'isWatched' | 'turn'>;

/** @param text the data of a view as JSON; null: it has the rest */
function toFrames<E extends StreamEventName>(
	event: E,
	state: State,
	watched: Watched,
	text: (shown: Shown) => string | null,
	{ id, rest }: { id?: string; rest?: StreamEvents[E] },
): Frame {
	const own = new Map<string, Uint8Array>();
	for (const shown of state.all()) {
		const data = watched.isWatched(shown.open.key) ? text(shown) : null;
		if (data !== null) own.set(shown.open.key, toBytes({ event, data, id }));
	}
	const bytes = rest ? encode(event, rest, id) : NOTHING;
	return { event, bytes, byView: { own, turn: watched.turn() }, ...(id !== undefined && { id }) };
}

/** The whole state of each view. */
export function toReset(state: State, watched: Watched): Frame {
	const text = (shown: Shown) => JSON.stringify(state.of(shown));
	return toFrames('reset', state, watched, text, { id: state.cursor() });
}

/** The people of a view, for a client that has just joined; none where presence is switched off. */
export function toFirstPresence({ people }: DashboardState): Frame[] {
	return people === undefined ? [] : [toFrame('presence', { people })];
}

/**
 * The people of each view in which they have changed; null: of none. Views that differ in their breakdowns share bytes.
 * @param changed of a view; null: nothing has changed
 */
export function toPresence(
	state: State,
	watched: Watched,
	changed: (view: OpenView) => Presence | null,
): Frame | null {
	const encoded = new Map<Presence, Uint8Array>();
	const own = new Map<string, Uint8Array>();
	for (const { open } of state.all()) {
		const people = watched.isWatched(open.key) ? changed(open) : null;
		if (people === null) continue;
		const bytes = encoded.get(people) ?? encode('presence', { people });
		encoded.set(people, bytes);
		own.set(open.key, bytes);
	}
	if (own.size === 0) return null;
	return { event: 'presence', bytes: NOTHING, byView: { own, turn: watched.turn() } };
}

/** What a batch brings for each view, when the state has moved there. @param id the cursor after the batch */
export function toActivity({ omitted }: Batch, state: State, watched: Watched, id: string): Frame {
	const toText = createTexts();
	const text = (shown: Shown): string | null => {
		const { arrived, figures, open } = shown;
		const others = omitted.of(open);
		const series = state.take(shown);
		if (!series && arrived.length === 0 && others === 0) return null;
		const data = state.isCounting()
			? { omitted: others, at: figures.at }
			: { omitted: others, ...figures, series: series ?? NO_CHANGE };
		// an event is encoded once for all views that show it
		return `{"events":[${arrived.map(toText).join(',')}],${JSON.stringify(data).slice(1)}`;
	};
	const rest = { events: [], omitted: 0, at: new Date(state.at()).toISOString() };
	return toFrames('activity', state, watched, text, { id, rest });
}

function createTexts(): (event: ActivityEvent) => string {
	const texts = new Map<ActivityEvent, string>();
	return (event) => {
		const text = texts.get(event) ?? JSON.stringify(event);
		texts.set(event, text);
		return text;
	};
}

/** A batch of the past for one view, with the figures of now; undefined: they are being read again. */
export function toActivityOf(
	open: OpenView,
	batch: Batch,
	figures: LiveFigures | undefined,
	id: string,
): Frame {
	const events: ActivityEvent[] = batch.rows.map(toActivityEvent).filter(open.match);
	const at = figures?.at ?? new Date(0).toISOString();
	return toFrame('activity', { events, omitted: batch.omitted.of(open), at, ...figures }, id);
}

/** The newest tick: each view's totals then. */
export function toMetrics(
	state: State,
	watched: Watched,
	tick: Tick,
	previous: Tick | null,
): Frame {
	const text = (shown: Shown) =>
		JSON.stringify(metrics(shown, tick, previous, state.take(shown) ?? NO_CHANGE));
	return toFrames('metrics', state, watched, text, {});
}

/** The same with the whole series, for a client that has just joined. */
export function toFirstMetrics(shown: Shown, state: DashboardState): Frame {
	const tick = { ...shown.figures.totals, recordedAt: shown.figures.at };
	return toFrame('metrics', metrics(shown, tick, state.previous, shown.series));
}

/** A view without a filter shows the tick that stands in the table, the same on every instance. */
function metrics(
	{ open, figures }: Shown,
	tick: Tick,
	previous: Tick | null,
	series: Series,
): Metrics {
	const isAll = isEverything(open);
	const own = isAll ? tick : { ...figures.totals, recordedAt: tick.recordedAt };
	return { ...own, figures, previous: isAll ? previous : null, series };
}

/**
 * The bytes of a frame for one view; null: the frame was not made for it.
 * @param since the turn from which on frames were made for it: without bytes of its own there was nothing new
 */
export function pickFor({ bytes, byView }: Frame, key: string, since: number): Uint8Array | null {
	if (!byView) return bytes;
	const isShared = bytes.byteLength > 0 && byView.turn >= since;
	return byView.own.get(key) ?? (isShared ? bytes : null);
}

/** A comment keeps proxies from closing the connection; the event is what the page can see. */
export function toHeartbeat(status: Ping): Frame {
	return { event: 'ping', bytes: concat(toComment('keep-alive'), encode('ping', status)) };
}

/** A copy of both. */
export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
	const both = new Uint8Array(a.length + b.length);
	both.set(a);
	both.set(b, a.length);
	return both;
}
