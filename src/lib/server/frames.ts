/**
 * States and batches as frames of the stream: encoded once, and once more for each source that somebody looks at. Pure.
 * It knows what goes into a frame, not when.
 */
import type {
	Activity,
	ActivityEvent,
	DashboardState,
	Metrics,
	Ping,
	StreamEventName,
	StreamEvents,
} from '../protocol';
import type { Frame } from './bus';
import type { Batch } from './drain';
import { toActivityEvent } from './rows';
import { toBytes, toComment } from './sse';
import type { Source } from './state';

type StateOf = (source: Source) => DashboardState;

export function toFrame<E extends StreamEventName>(
	event: E,
	data: StreamEvents[E],
	id?: string,
): Frame {
	const bytes = toBytes({ event, data: JSON.stringify(data), id });
	return id === undefined ? { event, bytes } : { event, bytes, id };
}

/** One frame for all, with the bytes for each source beside it. */
function toFrames<E extends StreamEventName>(
	event: E,
	sources: Iterable<string>,
	data: (source: Source) => StreamEvents[E],
	id?: string,
): Frame {
	const bySource = new Map<string, Uint8Array>();
	for (const source of sources) bySource.set(source, toFrame(event, data(source), id).bytes);
	return { ...toFrame(event, data(null), id), bySource };
}

export function toReset(state: StateOf, sources: Iterable<string>): Frame {
	return toFrames('reset', sources, state, state(null).cursor);
}

/** @param id the cursor after the batch */
export function toActivity(
	batch: Batch,
	state: StateOf,
	sources: Iterable<string>,
	id: string,
): Frame {
	const events = batch.rows.map(toActivityEvent);
	return toFrames('activity', sources, (source) => activity(batch, events, state, source), id);
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

/** The newest tick; null before the first. @param whole with the series, for who has just joined */
export function toMetrics(state: StateOf, sources: Iterable<string>, whole: boolean): Frame | null {
	const known = [...sources].filter((source) => state(source).series.length > 0);
	if (state(null).series.length === 0) return null;
	const data = (source: Source): Metrics => {
		const { totals, tables, at, previous, series } = state(source);
		const newest = series[series.length - 1] as Metrics;
		return { ...newest, figures: { totals, tables, at }, previous, ...(whole ? { series } : {}) };
	};
	return toFrames('metrics', known, data);
}

/** The bytes for who looks at a source; null when the frame was not made for it. Frames about no source are everybody's. */
export function pickFor({ bytes, bySource }: Frame, source: Source): Uint8Array | null {
	return source === null || !bySource ? bytes : (bySource.get(source) ?? null);
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
