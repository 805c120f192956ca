/**
 * Brings a client from its cursor to the bus when the ring no longer (or not yet) knows the cursor: it comes from another
 * instance, or was away for long. One forced drain, because the client may be ahead of this instance; then one read of
 * what the client has not seen and the bus has. Equal cursors share a read, and only a few reads run at once.
 */
import type { Sql } from 'postgres';
import { MAX_EVENTS_PER_FRAME } from '../protocol';
import type { Bus, Frame } from './bus';
import { toId, type Cursor } from './cursor';
import { createDrain, HistoryError, MAX_FRAMES_PER_DRAIN, type Batch } from './drain';
import type { Joined } from './stream';

/** A client further behind gets a reset: replaying more would take longer than looking at the whole. */
export const MAX_CATCH_UP = MAX_FRAMES_PER_DRAIN * MAX_EVENTS_PER_FRAME;
/** Reads at once: clients that return in a crowd must not take the database from those who write. */
export const MAX_READS = 2;
/** A finished read serves followers with the same cursor while its place is in the ring. */
const KEPT_READS = 16;

class TooFar extends Error {}

/**
 * @param force a drain that starts after the call
 * @param published the bus's position, as a cursor and in the ring
 * @param toFrame encodes a batch
 * @returns a function that resolves to the way in, or to null when the cursor has no way: a reset is due. Rejects when the database does not answer.
 */
export function createCatchUp({
	bus,
	connect,
	force,
	published,
	toFrame,
}: {
	bus: Bus;
	connect: () => Sql;
	force: () => Promise<void>;
	published: () => Cursor | null;
	toFrame: (batch: Batch) => Frame;
}) {
	const reads = new Map<string, Promise<Joined | null>>();
	const queue: (() => void)[] = [];
	let running = 0;

	async function limited<T>(read: () => Promise<T>): Promise<T> {
		if (running >= MAX_READS) await new Promise<void>((resolve) => queue.push(resolve));
		else running++;
		try {
			return await read();
		} finally {
			const next = queue.shift();
			if (next) next();
			else running--;
		}
	}

	async function read(from: Cursor): Promise<Joined | null> {
		await force();
		const upTo = published();
		const position = bus.head();
		if (!upTo || upTo.epoch !== from.epoch || from.last > upTo.last) return null;
		const known = bus.find(toId(from));
		if (known !== null) return { frames: bus.since(known), position };

		let rows = 0;
		const batches: Batch[] = [];
		const drain = createDrain({
			from,
			upTo,
			visit() {
				if (++rows > MAX_CATCH_UP) throw new TooFar();
			},
			publish: (batch) => batches.push(batch),
		});
		const sql = connect();
		try {
			await drain.run(sql);
		} catch (error) {
			if (error instanceof TooFar || error instanceof HistoryError) return null;
			throw error;
		} finally {
			sql.end({ timeout: 0 }).catch(() => {});
		}
		return { frames: batches.map(toFrame), position };
	}

	return function catchUp(from: Cursor): Promise<Joined | null> {
		const id = toId(from);
		const shared = reads.get(id);
		if (shared)
			return shared.then((way) => {
				if (way === null || way.position >= bus.tail()) return way;
				if (reads.get(id) === shared) reads.delete(id);
				return catchUp(from);
			});
		const started = limited(() => read(from));
		reads.set(id, started);
		if (reads.size > KEPT_READS) reads.delete(reads.keys().next().value as string);
		const forget = () => {
			if (reads.get(id) === started) reads.delete(id);
		};
		started.then((way) => {
			if (way === null) forget();
		}, forget);
		return started;
	};
}
