/**
 * States and batches as frames of the stream: encoded once, and once more for each source that somebody looks at. Pure.
 * It knows what goes into a frame, not when. A newcomer encodes for every source that is asked for: they come from addresses, as many as
 * somebody likes to type. Those of which there is nothing share the bytes of every frame but `reset`.
 */
import type {
	Activity,
	ActivityEvent,
	DashboardState,
	Metrics,
	Ping,
	Source,
	StreamEventName,
	StreamEvents,
	Tick,
} from '../../protocol';
import type { Frame } from './ring';
import type { Batch } from '../reader/drain';
import { toActivityEvent } from '../reader/row';
import { toBytes, toComment } from './sse';
import type { Looked, State } from '../live/state';

type StateOf = (source: Source) => DashboardState;
type Sources = Looked['sources'];
/** What is shown, and what sources have in common of it. */
type Shown = Pick<State, 'of' | 'turn' | 'isEmpty'>;

export function toFrame<E extends StreamEventName>(
	event: E,
	data: StreamEvents[E],
	id?: string,
): Frame {
	const bytes = toBytes({ event, data: JSON.stringify(data), id });
	return id === undefined ? { event, bytes } : { event, bytes, id };
}

/** One frame for all, with the bytes for each source beside it, and once for all that are empty. */
function toFrames<E extends StreamEventName>(
	event: E,
	sources: Sources,
	data: (source: Source) => StreamEvents[E],
	{
		id,
		turn = 0,
		isEmpty = () => false,
	}: { id?: string; turn?: number; isEmpty?: (source: string) => boolean },
): Frame {
	const bySource = new Map<string, Uint8Array>();
	let empty: Frame['empty'];
	for (const source of sources) {
		const isShared = isEmpty(source);
		if (isShared && empty) continue;
		const { bytes } = toFrame(event, data(source), id);
		if (isShared) empty = { bytes, turn };
		else bySource.set(source, bytes);
	}
	return { ...toFrame(event, data(null), id), bySource, ...(empty && { empty }) };
}

export function toReset(state: StateOf, sources: Sources): Frame {
	return toFrames('reset', sources, state, { id: state(null).cursor });
}

/** @param id the cursor after the batch */
export function toActivity(batch: Batch, state: Shown, sources: Sources, id: string): Frame {
	const events = batch.rows.map(toActivityEvent);
	// what is older than the windows is in no figure, and in the feed all the same
	const senders = new Set(events.map(({ source }) => source));
	const isEmpty = (source: string) =>
		state.isEmpty(source) && !senders.has(source) && batch.omitted.of(source) === 0;
	const data = (source: Source) => activity(batch, events, state.of, source);
	return toFrames('activity', sources, data, { id, turn: state.turn(), isEmpty });
}

/** The same for those who look at one source (null: all) and nobody else. */
export function toActivityOf(source: Source, batch: Batch, state: StateOf, id: string): Frame {
	const events = batch.rows.map(toActivityEvent);
	return toFrame('activity', activity(batch, events, state, source), id);
}

function activity(
	{ omitted }: Batch,
	events: ActivityEvent[],
	state: StateOf,
	source: Source,
): Activity {
	const { totals, tables, at } = state(source);
	if (source === null) return { events, omitted: omitted.size, totals, tables, at };
	const its = events.filter((event) => event.source === source);
	return { events: its, omitted: omitted.of(source), totals, tables, at };
}

/** The newest tick; null before the first. */
export function toMetrics(state: Shown, sources: Sources): Frame | null {
	const { of, isEmpty } = state;
	if (of(null).series.length === 0) return null;
	const ticked = [...sources].filter((source) => of(source).series.length > 0);
	const data = (source: Source) => metrics(of(source));
	return toFrames('metrics', ticked, data, { turn: state.turn(), isEmpty });
}

/** The same with the series, for who has just joined. */
export function toFirstMetrics(state: DashboardState): Frame | null {
	const { series } = state;
	return series.length === 0 ? null : toFrame('metrics', { ...metrics(state), series });
}

function metrics({ totals, tables, at, previous, series }: DashboardState): Metrics {
	const newest = series[series.length - 1] as Tick;
	return { ...newest, figures: { totals, tables, at }, previous };
}

/**
 * The bytes for who looks at a source; null when the frame was not made for it. Frames about no source are everybody's.
 * @param since the turn with which it began that somebody looks at it, without a break: a frame of that time was made for it, so it
 * was empty if there are no bytes of its own. Of earlier ones nobody knows.
 */
export function pickFor(
	{ bytes, bySource, empty }: Frame,
	source: Source,
	since: number,
): Uint8Array | null {
	if (source === null || !bySource) return bytes;
	return bySource.get(source) ?? (empty && empty.turn >= since ? empty.bytes : null);
}

/** A comment keeps proxies from closing the connection; the event is what the page can see. */
export function toHeartbeat(status: Ping): Frame {
	const { event, bytes } = toFrame('ping', status);
	return { event, bytes: concat(toComment('keep-alive'), bytes) };
}

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
	const both = new Uint8Array(a.length + b.length);
	both.set(a);
	both.set(b, a.length);
	return both;
}
