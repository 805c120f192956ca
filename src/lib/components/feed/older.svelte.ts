/** Loads older events into an open feed, page by page, until enough are there or it is told to stop. */
import { NotNowError, type OlderEvents } from '../../feed';
import type { ActivityEvent } from '../../protocol';
import { toIds, toPageQuery } from './pages';

/** Asks the server for the page before a position; rejects when there is no answer. */
export type ReadOlder = (query: URLSearchParams, signal: AbortSignal) => Promise<OlderEvents>;

export type Older = {
	/** newest first */
	readonly rows: readonly ActivityEvent[];
	/** `waiting`: the server is busy and is asked again; `stopped`: by the viewer; `end`: the table has no older event */
	readonly state: 'idle' | 'loading' | 'waiting' | 'stopped' | 'failed' | 'end';
	/** ISO time of the last event that was examined; null: none was */
	readonly through: string | null;
	/** `before` of the next page; undefined: nothing was loaded */
	readonly next: string | null | undefined;
	/**
	 * Loads until `wanted` more rows are there. Does nothing while it loads, or when there is no more.
	 * @param from where to begin, if nothing was loaded yet: `before` of the first page; null: the newest
	 */
	load(from: string | null, search: string, wanted: number): Promise<void>;
	stop(): void;
	/** Forgets everything. */
	reset(): void;
	/** Rows that the live list has dropped, newest first: they stand before the others. */
	prepend(rows: readonly ActivityEvent[]): void;
	/** Drops the newest rows. */
	drop(count: number): void;
	/** Drops these events: they have come live meanwhile. */
	remove(events: readonly ActivityEvent[]): void;
};

/** A page is asked for again this often, and so long after the last time when the server does not say. */
const RETRIES = 8;
const RETRY_MS = 2_000;
/** A server that asks for more is asked sooner. */
const MAX_WAIT_MS = 60_000;

/** @param live the live rows: an event that was committed late may be among them and in a page too */
export function createOlder(
	read: ReadOlder,
	filter: () => readonly string[],
	live: () => readonly ActivityEvent[],
): Older {
	const ids = toIds();
	let rows = $state.raw<readonly ActivityEvent[]>([]);
	let state = $state<Older['state']>('idle');
	let through = $state<string | null>(null);
	let next: string | null | undefined;
	let leaving = new AbortController();

	/** The page, as soon as the server is no longer busy. */
	async function readInTime(query: URLSearchParams, signal: AbortSignal): Promise<OlderEvents> {
		for (let left = RETRIES; ; left--) {
			state = 'loading';
			try {
				return await read(query, signal);
			} catch (error) {
				if (!(error instanceof NotNowError) || signal.aborted || left === 0) throw error;
				state = 'waiting';
				await pause(Math.min(error.afterMs ?? RETRY_MS, MAX_WAIT_MS), signal);
			}
		}
	}

	async function load(from: string | null, search: string, wanted: number): Promise<void> {
		if (['loading', 'waiting', 'end'].includes(state)) return;
		const { signal } = (leaving = new AbortController());
		let found = 0;
		try {
			do {
				const before = next === undefined ? from : next;
				const page = await readInTime(toPageQuery(filter(), before, search), signal);
				if (signal.aborted) return;
				const known = toIds(live());
				const fresh = page.events.filter(({ eventId }) => !known.has(eventId) && !ids.has(eventId));
				for (const { eventId } of fresh) ids.add(eventId);
				found += fresh.length;
				rows = [...rows, ...fresh];
				next = page.next;
				through = page.through ?? through;
			} while (next !== null && found < wanted);
			state = next === null ? 'end' : 'idle';
		} catch {
			if (!signal.aborted) state = 'failed';
		}
	}

	return {
		get rows() {
			return rows;
		},
		get state() {
			return state;
		},
		get through() {
			return through;
		},
		get next() {
			return next;
		},
		load,
		stop() {
			leaving.abort();
			if (state === 'loading' || state === 'waiting') state = 'stopped';
		},
		reset() {
			leaving.abort();
			rows = [];
			ids.clear();
			next = undefined;
			through = null;
			state = 'idle';
		},
		prepend(more) {
			for (const { eventId } of more) ids.add(eventId);
			rows = [...more, ...rows];
		},
		drop(count) {
			for (const { eventId } of rows.slice(0, count)) ids.delete(eventId);
			rows = rows.slice(count);
		},
		remove(events) {
			const gone = toIds(events.filter(({ eventId }) => ids.delete(eventId)));
			if (gone.size > 0) rows = rows.filter(({ eventId }) => !gone.has(eventId));
		},
	};
}

/** Rejects when it is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(resolve, ms);
		const leave = () => {
			clearTimeout(timer);
			reject(signal.reason as Error);
		};
		signal.addEventListener('abort', leave, { once: true });
	});
}
