/**
 * The rows of the feed: live ones until the viewer scrolls away or opens one, then they stand still and what arrives is
 * counted; below them older events from the table. Without a gap: where the live list has lost touch with what is shown, older
 * rows are forgotten and can be loaded again. Holds at most MAX_ROWS.
 */
import { untrack } from 'svelte';
import { createTextMatch, toSearchText } from '../../search';
import type { ActivityEvent } from '../../protocol';
import { createOlder, type Older, type ReadOlder } from './older.svelte';

/** Rows in memory: at about 1 KB an event 50 MB. Beyond it the newest of a frozen feed go; they come back at the top. */
export const MAX_ROWS = 50_000;
/** More rows at once than the eye can follow enter as one group, without sliding. */
export const GROUP_ROWS = 6;
/** While more than GROUP_ROWS rows arrive in a second, they are batched this long. */
const GATHER_MS = 500;
/** A search goes on until so many rows are found: a box full, and some to scroll. */
const FOUND_ROWS = 40;

/** How many of `events` (newest first) are newer than `row`; all of them when it is not there. */
function countNewer(events: readonly ActivityEvent[], row: ActivityEvent | undefined): number {
	const at = row ? events.findIndex(({ eventId }) => eventId === row.eventId) : -1;
	return at === -1 ? events.length : at;
}

type Ask = {
	events: readonly ActivityEvent[];
	omitted: number;
	filter: readonly string[];
	frozen: boolean;
	search: string;
};

/** Call it while a component is set up. @param ask read again whenever it changes */
export function createRows(ask: () => Ask, read: ReadOlder) {
	const start = untrack(ask);
	let live = $state.raw(start.events);
	let isTrimmed = false;
	let waiting = $state(0);
	let group = $state.raw({ size: 0, beat: 0 });
	let crowded = $state(false);
	let beats: { at: number; rows: number }[] = [];
	let timer: ReturnType<typeof setTimeout> | undefined;
	let seen = { events: start.events, omitted: start.omitted };

	const filter = () => untrack(ask).filter;
	const liveNow = () => untrack(() => live);
	const plain = createOlder(read, filter, liveNow);
	const found = createOlder(read, filter, liveNow);
	const search = $derived(toSearchText(ask().search));
	const match = $derived(search === '' ? null : createTextMatch<ActivityEvent>(search));
	const older = $derived<Older>(match ? found : plain);
	const rows = $derived.by(() => {
		if (!match) return plain.rows.length === 0 ? live : [...live, ...plain.rows];
		return [...live.filter(match), ...plain.rows.filter(match), ...found.rows];
	});

	function isBusy(): boolean {
		const since = performance.now() - 1_000;
		return beats.reduce((sum, { at, rows }) => sum + (at > since ? rows : 0), 0) >= GROUP_ROWS;
	}

	/** Shows what has arrived. */
	function take() {
		clearTimeout(timer);
		timer = undefined;
		const { events } = untrack(ask);
		const count = countNewer(events, live[0]);
		const at = performance.now();
		beats = [...beats.filter((beat) => at - beat.at < 1_000), { at, rows: count }];
		if (count >= GROUP_ROWS) group = { size: count, beat: group.beat + 1 };
		crowded = isBusy();
		const isTouching = live.length === 0 || count < events.length;
		if (isTrimmed || !isTouching) forget();
		else if (plain.next !== undefined || found.next !== undefined)
			plain.prepend(live.slice(events.length - count));
		for (const one of [plain, found]) one.remove(events.slice(0, count));
		live = events;
		waiting = 0;
		isTrimmed = false;
	}

	function forget() {
		plain.reset();
		found.reset();
	}

	function trim() {
		let excess = live.length + plain.rows.length + found.rows.length - MAX_ROWS;
		if (excess <= 0) return;
		isTrimmed = true;
		const cut = Math.min(excess, live.length);
		live = live.slice(cut);
		excess -= cut;
		const more = Math.min(excess, plain.rows.length);
		if (more > 0) plain.drop(more);
		if (excess > more) found.drop(excess - more);
	}

	$effect(() => {
		const { events, omitted, frozen } = ask();
		untrack(() => {
			const fresh = events.slice(0, countNewer(events, seen.events[0]));
			const unseen = Math.max(0, omitted - seen.omitted);
			seen = { events, omitted };
			waiting += match ? fresh.filter(match).length : fresh.length + unseen;
			if (frozen) clearTimeout(timer);
			if (frozen || events === live) timer = undefined;
			else if (isBusy()) timer ??= setTimeout(take, GATHER_MS);
			else take();
		});
	});
	$effect(() => {
		void search;
		untrack(() => found.reset());
	});
	$effect(() => () => {
		clearTimeout(timer);
		plain.stop();
		found.stop();
	});

	return {
		get rows() {
			return rows;
		},
		get older() {
			return older;
		},
		get waiting() {
			return waiting;
		},
		get group() {
			return group;
		},
		/** all older events are loaded, so that there is nothing left to search */
		get ended() {
			return older.state === 'end' || plain.state === 'end';
		},
		/** rows arrive faster than a screen reader can read */
		get crowded() {
			return crowded;
		},
		take,
		async more() {
			const last = live.at(-1);
			const after = plain.next === undefined ? (last ? String(last.id) : null) : plain.next;
			if (plain.state === 'end') return;
			await older.load(after, match ? search : '', match || filter().length > 0 ? FOUND_ROWS : 1);
			trim();
		},
	};
}
