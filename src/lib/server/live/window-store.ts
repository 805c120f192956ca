/**
 * The rows of the last 30 minutes, by column. It knows which rows are in which window, to the millisecond,
 * and tells its followers when a row enters or leaves one; figures are the views' business.
 * Windows are `at − w < createdAt ≤ at`. A row's cost to move the time is paid when it leaves, never while inside.
 */
import { DIMENSIONS, PROPS, type Dimension } from '../../dimensions';
import { COUNT_WINDOW_MS, PAGE_VIEW, RATE_WINDOW_MS, SESSION_WINDOW_MS } from '../../protocol';
import { createDictionary, NONE, type Dictionary } from './dictionary';
import { readColumn, toScalar, type DimensionRow } from './dimension-values';
import { createEarlyRows } from './early-rows';
import { createDropped } from './dropped-rows';
import { createSegments, SEGMENT_ROWS, SESSION_COLUMN, type Codes, type Segment } from './segment';

export type StoreRow = DimensionRow & { createdAt: number };

/** What happened to a row: it entered, or it left the minute, the five minutes or the half hour. */
export type Crossing = 'enter' | 'leaveRate' | 'leaveSession' | 'leave';
export type Follower = (crossing: Crossing, segment: Segment, offset: number) => void;

export type WindowStore = {
	/** Counts a row, late and early ones included: one from the future enters when its time comes. */
	add(row: StoreRow): void;
	/** Moves the time forward, ms since 1970; an earlier time is ignored. */
	advance(at: number): void;
	at(): number;
	follow(follower: Follower): () => void;
	/** Segments in the order in which rows entered. */
	segments(): readonly Segment[];
	rows(): number;
	/** Rows that are in the half hour but no longer kept distinct, because there were more than the bound. */
	dropped(): { events: number; pageViews: number };
	/** Rows are kept distinct that are newer than this, ms since 1970. */
	reach(): number;
	/** The values of a dimension; undefined: no row has such a property, or its key is beyond the bound. */
	dictionary(dimension: Dimension): Dictionary | undefined;
	/**
	 * Calls `see` for every code of a dimension in use and for every new one, before a row has it. `reset` comes before all
	 * of them: at once, and when a property's key gets another dictionary.
	 */
	followCodes(
		dimension: Dimension,
		to: { reset(): void; see(code: number, value: string): void },
	): () => void;
	/** A dimension's codes of the rows of a segment; undefined: none of them has it. Resolve once, outside of loops over rows. */
	column(dimension: Dimension): (segment: Segment) => Codes | undefined;
	/** The keys of properties that are kept distinct. */
	keys(): string[];
	/** A property's key is not kept distinct, because there were more than the bound. */
	keysOmitted(): boolean;
};

/** Rows that are kept distinct: at about 150 bytes with their values, 450 MB. */
export const MAX_ROWS = 3_000_000;
/** Values of a dimension that are kept distinct: with the two reserved codes they fit 16 bits. */
export const MAX_VALUES = 50_000;
/** Property keys that are kept distinct, those that came first. */
export const MAX_KEYS = 200;
const MAX_SESSIONS = 50_000_000;
const NAME_COLUMN = DIMENSIONS.indexOf('name');
const COLUMNS = DIMENSIONS.length;
const SECOND_MS = 1_000;
const DROP_STEP_MS = 1_000;
type See = (segment: Segment, offset: number) => void;

export type StoreLimits = { maxRows?: number; maxValues?: number; maxKeys?: number };
type Key = { number: number; dictionary: Dictionary };

/** @param at database time to begin with, ms since 1970 */
export function createWindowStore(
	at: number,
	{ maxRows = MAX_ROWS, maxValues = MAX_VALUES, maxKeys = MAX_KEYS }: StoreLimits = {},
): WindowStore {
	let now = at;
	let rows = 0;
	/** rows up to this time are counted in `dropped` */
	let floor = -Infinity;
	const dropped = createDropped();
	const segments = createSegments();
	/** 1 + slot of the newest row of each millisecond: cell `t mod 30 min` belongs to one t of the window */
	const cells = new Int32Array(COUNT_WINDOW_MS);
	/** rows in each second's cells: those without any need not be looked through */
	const rowsInSecond = new Uint32Array(COUNT_WINDOW_MS / SECOND_MS);
	const dictionaries = DIMENSIONS.map((_, column) =>
		createDictionary(column === SESSION_COLUMN ? MAX_SESSIONS : maxValues),
	);
	const keys = new Map<string, Key>();
	let keysOmitted = false;
	const followers = new Set<Follower>();
	const keyFollowers = new Set<(dimension: Dimension) => void>();
	const early = createEarlyRows<StoreRow>();

	function tell(crossing: Crossing, segment: Segment, offset: number) {
		for (const follower of followers) follower(crossing, segment, offset);
	}

	function keyOf(key: string): Key | undefined {
		const known = keys.get(key);
		if (known) return known;
		let number = keys.size;
		if (number >= maxKeys) {
			const idle = [...keys].find(([, { dictionary }]) => dictionary.size() === 0);
			if (!idle) {
				keysOmitted = true;
				return undefined;
			}
			keys.delete(idle[0]);
			number = idle[1].number;
		}
		const made = { number, dictionary: createDictionary(maxValues) };
		keys.set(key, made);
		for (const see of keyFollowers) see(`${PROPS}${key}`);
		return made;
	}

	function addToSecond(cell: number, by: 1 | -1) {
		const second = Math.floor(cell / SECOND_MS);
		rowsInSecond[second] = (rowsInSecond[second] as number) + by;
	}

	function enter(row: StoreRow) {
		const { createdAt } = row;
		if (createdAt <= now - COUNT_WINDOW_MS) return;
		if (createdAt <= floor) return dropped.add(createdAt, row.name === PAGE_VIEW);
		const segment = segments.open();
		const offset = segment.used++;
		segment.alive++;
		rows++;
		segment.times[offset] = createdAt;
		for (let column = 0; column < COLUMNS; column++) {
			const value = readColumn(row, column);
			// most dimensions are not there: a new row has NONE in every column
			if (value === null) continue;
			const code = (dictionaries[column] as Dictionary).acquire(value);
			(segment.codes[column] as Codes)[offset] = code;
		}
		for (const key of Object.keys(row.properties)) {
			const value = toScalar(row.properties[key]);
			if (value === null) continue;
			const known = keyOf(key);
			if (!known) continue;
			const column = (segment.props[known.number] ??= new Uint16Array(SEGMENT_ROWS));
			column[offset] = known.dictionary.acquire(value);
		}
		const cell = createdAt % COUNT_WINDOW_MS;
		segment.next[offset] = cells[cell] as number;
		cells[cell] = segment.slot * SEGMENT_ROWS + offset + 1;
		addToSecond(cell, 1);
		tell('enter', segment, offset);
		if (rows > maxRows) dropOldest();
	}

	function leave(segment: Segment, offset: number) {
		tell('leave', segment, offset);
		for (let column = 0; column < COLUMNS; column++) {
			const code = (segment.codes[column] as Codes)[offset] as number;
			if (code !== NONE) (dictionaries[column] as Dictionary).release(code);
		}
		for (const { number, dictionary } of keys.values()) {
			const code = segment.props[number]?.[offset] ?? NONE;
			if (code !== NONE) dictionary.release(code);
		}
		addToSecond((segment.times[offset] as number) % COUNT_WINDOW_MS, -1);
		segment.times[offset] = 0;
		rows--;
		if (--segment.alive === 0 && segment.used === SEGMENT_ROWS) segments.close(segment);
	}

	/** Stops telling apart the oldest rows, a hundredth of all at a time. */
	function dropOldest() {
		const names = dictionaries[NAME_COLUMN] as Dictionary;
		while (rows > maxRows * 0.99) {
			const from = Math.max(floor, now - COUNT_WINDOW_MS);
			floor = Math.min(from + DROP_STEP_MS, now);
			walk(from, floor, true, (segment, offset) => {
				const time = segment.times[offset] as number;
				const name = names.value((segment.codes[NAME_COLUMN] as Codes)[offset] as number);
				if (time > now - RATE_WINDOW_MS) tell('leaveRate', segment, offset);
				if (time > now - SESSION_WINDOW_MS) tell('leaveSession', segment, offset);
				leave(segment, offset);
				dropped.add(time, name === PAGE_VIEW);
			});
			if (floor === now) return;
		}
	}

	/** The rows with times in (from, to], within the half hour before `now`. */
	function walk(from: number, to: number, clear: boolean, see: See) {
		for (let time = from + 1; time <= to; time++) {
			const cell = time % COUNT_WINDOW_MS;
			if (rowsInSecond[Math.floor(cell / SECOND_MS)] === 0) {
				time += SECOND_MS - 1 - (cell % SECOND_MS);
				continue;
			}
			let next = cells[cell] as number;
			if (clear) cells[cell] = 0;
			while (next !== 0) {
				const slot = next - 1;
				const segment = segments.at(Math.floor(slot / SEGMENT_ROWS));
				const offset = slot % SEGMENT_ROWS;
				next = segment.next[offset] as number;
				see(segment, offset);
			}
		}
	}

	const store: WindowStore = {
		add(row) {
			if (row.createdAt > now) early.add(row.createdAt, row);
			else enter(row);
		},
		advance(to) {
			if (to <= now) return;
			/** rows that are older than `width` at `to` and were not before; none is newer than `now` */
			const cross = (width: number, clear: boolean, see: See) =>
				walk(now - width, Math.min(to - width, now), clear, see);
			cross(RATE_WINDOW_MS, false, (...row) => tell('leaveRate', ...row));
			cross(SESSION_WINDOW_MS, false, (...row) => tell('leaveSession', ...row));
			cross(COUNT_WINDOW_MS, true, leave);
			dropped.forget(now - COUNT_WINDOW_MS, Math.min(to - COUNT_WINDOW_MS, now));
			now = to;
			for (const row of early.take(to)) enter(row);
		},
		at: () => now,
		follow(follower) {
			followers.add(follower);
			return () => void followers.delete(follower);
		},
		segments: segments.inOrder,
		dropped: dropped.counts,
		reach: () => Math.max(floor, now - COUNT_WINDOW_MS),
		rows: () => rows,
		dictionary(dimension) {
			if (dimension.startsWith(PROPS)) return keys.get(dimension.slice(PROPS.length))?.dictionary;
			return dictionaries[(DIMENSIONS as readonly string[]).indexOf(dimension)];
		},
		followCodes(dimension, { reset, see }) {
			let stop = () => {};
			function restart() {
				stop();
				reset();
				stop = store.dictionary(dimension)?.follow(see) ?? (() => {});
			}
			restart();
			const onKey = (made: Dimension) => {
				if (made === dimension) restart();
			};
			keyFollowers.add(onKey);
			return () => {
				stop();
				keyFollowers.delete(onKey);
			};
		},
		column(dimension) {
			const column = (DIMENSIONS as readonly string[]).indexOf(dimension);
			if (column !== -1) return (segment) => segment.codes[column];
			const name = dimension.slice(PROPS.length);
			return (segment) => {
				const key = keys.get(name);
				return key && segment.props[key.number];
			};
		},
		keys: () => [...keys.keys()],
		keysOmitted: () => keysOmitted,
	};
	return store;
}
