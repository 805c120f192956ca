/**
 * How a client gets in: with a cursor, by catching up from there; with none, or one that leads nowhere, by a reset.
 * It decides; reading is left to catch-up.ts and delivery to client-stream.ts.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DashboardState } from '../../protocol';
import type { Shown } from '../live/state';
import type { OpenView, ViewSpec } from '../live/views';
import { parseCursor, type Cursor } from '../reader/cursor';
import type { Joined } from './client-stream';
import { toFirstMetrics, toFirstPresence, toFrame } from './frames';
import type { Bus, Frame } from './ring';

/** A large transaction is being counted, and the frames since are not there: then its end is waited for. */
const COUNTING_MS = 50;

/**
 * @param find the view at the ring's head; undefined: it is not complete
 * @param ready resolves when the view is complete, which waits for the first reading
 * @param state of a view at the ring's head
 * @param catchUp resolves to null when the cursor leads nowhere; rejects when the database does not answer
 * @param isFor whether a frame of the ring was made for the view
 * @param failed told of such a rejection; resolves when trying again makes sense
 */
export function createSubscribe({
	bus,
	find,
	ready,
	state,
	catchUp,
	isFor,
	failed,
}: {
	bus: Bus;
	find: (view: ViewSpec) => Shown | undefined;
	ready: (view: ViewSpec) => Promise<unknown>;
	state: (shown: Shown) => DashboardState;
	catchUp: (from: Cursor, open: OpenView) => Promise<Joined | null>;
	isFor: (frame: Frame, open: OpenView) => boolean;
	failed: (error: unknown) => Promise<void>;
}) {
	/** encoded once for all clients that need the same state */
	const resets = new WeakMap<DashboardState, Frame>();

	/** Where the frames after a state begin; null: they are not there for this view. */
	function placeOf({ open, settled }: Shown, { cursor }: DashboardState): number | null {
		if (!settled) return bus.head();
		const place = bus.find(cursor);
		return place !== null && bus.since(place).every((frame) => isFor(frame, open)) ? place : null;
	}

	async function reset(view: ViewSpec): Promise<Joined> {
		// in a loop, so that nothing is awaited between the state and the position
		for (;;) {
			const shown = find(view);
			const of = shown && state(shown);
			const position = shown && of ? placeOf(shown, of) : null;
			if (of && position !== null) {
				const frame = resets.get(of) ?? toFrame('reset', of, of.cursor);
				resets.set(of, frame);
				return { frames: [frame], position };
			}
			await (shown ? pause(COUNTING_MS) : ready(view));
		}
	}

	/**
	 * The way in for one client; never rejects, but may wait for the database.
	 * @param text what the client says its cursor is
	 * @param stream to notice that the client has gone meanwhile
	 */
	return async function subscribe(
		text: string | null,
		view: ViewSpec,
		stream: { gone(): boolean },
	): Promise<Joined> {
		const parsed = text === null ? null : parseCursor(text);
		if (!parsed?.ok) return reset(view);
		while (!stream.gone()) {
			try {
				let shown = find(view);
				for (; !shown; shown = find(view)) await ready(view);
				const way = await catchUp(parsed.cursor, shown.open);
				if (!way) return await reset(view);
				const now = find(view);
				if (!now) return way;
				const whole = state(now);
				const first = [toFirstMetrics(now, whole), ...toFirstPresence(whole)];
				return { ...way, frames: [...way.frames, ...first] };
			} catch (error) {
				await failed(error);
			}
		}
		return { frames: [], position: bus.head() };
	};
}
