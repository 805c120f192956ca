/**
 * How a client gets in: with a cursor, by catching up from there; with none, or one that has no way, by a reset.
 * It decides, and leaves the reading to catch-up.ts and the delivery to stream.ts.
 */
import type { DashboardState, Source } from '../../protocol';
import type { Bus, Frame } from './ring';
import { parseCursor, type Cursor } from '../reader/cursor';
import { toFirstMetrics, toFrame } from './frames';
import type { Joined } from './client-stream';

/**
 * @param state at the ring's head
 * @param begun false before the first reading: there is nothing to join yet
 * @param begins resolves when that may have changed
 * @param catchUp resolves to null when the cursor has no way; rejects when the database does not answer
 * @param failed told of such a rejection; resolves when trying again makes sense
 */
export function createJoin({
	bus,
	state,
	begun,
	begins,
	catchUp,
	failed,
}: {
	bus: Bus;
	state: (source: Source) => DashboardState;
	begun: () => boolean;
	begins: () => Promise<void>;
	catchUp: (from: Cursor, source: Source) => Promise<Joined | null>;
	failed: (error: unknown) => Promise<void>;
}) {
	/** encoded once for all who need the same state */
	const resets = new WeakMap<DashboardState, Frame>();

	function reset(source: Source): Joined {
		const of = state(source);
		const frame = resets.get(of) ?? toFrame('reset', of, of.cursor);
		resets.set(of, frame);
		return { frames: [frame], position: bus.head() };
	}

	/** what was missed, and the newest tick */
	function resume(way: Joined, source: Source): Joined {
		const metrics = toFirstMetrics(state(source));
		return metrics ? { ...way, frames: [...way.frames, metrics] } : way;
	}

	/**
	 * The way in for one client; never rejects, but may wait for the database.
	 * @param text what the client says its cursor is
	 * @param stream to notice that the client has gone meanwhile
	 */
	return async function join(
		text: string | null,
		source: Source,
		stream: { gone(): boolean },
	): Promise<Joined> {
		// a new process is asked before it knows anything: who comes with a cursor must not be reset for that
		while (!begun() && !stream.gone()) await begins();
		const parsed = text === null ? null : parseCursor(text);
		if (!parsed?.ok) return reset(source);
		while (!stream.gone()) {
			try {
				const way = await catchUp(parsed.cursor, source);
				return way ? resume(way, source) : reset(source);
			} catch (error) {
				await failed(error);
			}
		}
		return reset(source);
	};
}
