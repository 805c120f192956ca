/**
 * Caches history: one query at a time for each range, source and zone, kept for seconds, so that any number
 * of open pages costs the same. The stream never waits for it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import type { History, HistoryRange, Values } from '../../history';
import { toFilterTexts } from '../../filter';
import { ZoneError } from './range-query';
import { readRange, readRangeValues, type RangeSpec, type ValuesSpec } from './range';
import { BusyError, createReadings } from './readings';

type RangeView = Pick<RangeSpec, 'filter' | 'bound' | 'by'>;

export type HistoryReader = {
	/**
	 * @param view filter and breakdowns
	 * @param zone IANA time zone
	 * @throws ZoneError, BusyError, a DeadlineError, or what the database says
	 */
	read(range: HistoryRange, view: RangeView, zone: string): Promise<History>;
	/** The whole list of a breakdown. @throws the same */
	values(spec: ValuesSpec): Promise<Values>;
};

/** About a tenth of what is asked for again by an open page. */
const KEPT_MS: Record<HistoryRange, number> = {
	'30min': 2_000,
	'24h': 5_000,
	'7d': 15_000,
	'90d': 30_000,
};
/** Sources and zones come from the address: what is asked for first goes first. */
const MAX_KEPT = 200;
/** Under a filter every event of the range is read. */
const DEADLINE_MS = 30_000;
/** At a time, for whatever ranges, sources and zones: they share three connections with counting and retention, and take milliseconds. */
export const MOST_READINGS = 8;

/** @param now ms, for the age of what is kept */
export function createHistory({
	sql,
	log,
	now = Date.now,
	read = readRange,
	readValues = readRangeValues,
}: {
	sql: Sql;
	log: Logger;
	now?: () => number;
	read?: typeof readRange;
	readValues?: typeof readRangeValues;
}): HistoryReader {
	const kept = new Map<string, { until: number; answer: Promise<unknown> }>();
	const readings = createReadings(MOST_READINGS, DEADLINE_MS, 'history');
	let forgetting: ReturnType<typeof setTimeout> | undefined;
	/** A promise that is kept keeps the request in which it was made. */
	const outside = AsyncLocalStorage.snapshot();

	/** evicts unused entries by age too, not only when there is no room */
	function forgetLater() {
		forgetting ??= setTimeout(() => {
			forgetting = undefined;
			for (const [key, { until }] of kept) if (until <= now()) kept.delete(key);
			if (kept.size > 0) forgetLater();
		}, KEPT_MS['90d']);
		forgetting.unref();
	}

	/** @param toUntil until when the answer is kept, `since` being when it was asked for */
	function readOrShare<T>(
		key: string,
		range: HistoryRange,
		readNow: () => Promise<T>,
		toUntil: (answer: T, since: number) => number,
	): Promise<T> {
		const found = kept.get(key);
		if (found && found.until > now()) return found.answer as Promise<T>;
		if (readings.isFull()) return Promise.reject(new BusyError());
		const since = now();
		const answer = readings.run(readNow);
		kept.delete(key);
		// while it is read it is never too old
		const entry = { until: Infinity, answer };
		kept.set(key, entry);
		answer.then(
			(value) => {
				entry.until = toUntil(value, since);
				if (entry.until <= now() && kept.get(key) === entry) kept.delete(key);
			},
			(error: unknown) => {
				if (!(error instanceof ZoneError))
					log.warn({ reason: String(error), range }, 'history was not read');
				// what failed is asked again
				if (kept.get(key) === entry) kept.delete(key);
			},
		);
		const [oldest] = kept.keys();
		if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
		forgetLater();
		return answer;
	}

	const toKey = ({ filter, bound }: Pick<RangeView, 'filter' | 'bound'>, ...rest: unknown[]) =>
		JSON.stringify([toFilterTexts(filter), toFilterTexts(bound ?? []), ...rest]);

	function readHistory(range: HistoryRange, view: RangeView, zone: string): Promise<History> {
		// before anything has been counted: that is soon over
		const toUntil = ({ begins }: History, since: number) =>
			begins === null ? now() + KEPT_MS['30min'] : since + KEPT_MS[range];
		const readNow = () => read(sql, { range, ...view, zone });
		return readOrShare(toKey(view, range, view.by, zone), range, readNow, toUntil);
	}

	/** Shared while it is read, but not kept: lists are long. */
	function readList(spec: ValuesSpec): Promise<Values> {
		const { range, zone, dimension, text, length } = spec;
		const key = toKey(spec, range, zone, { dimension, text, length });
		return readOrShare(
			key,
			range,
			() => readValues(sql, spec),
			() => 0,
		);
	}

	return {
		read: (...asked) => outside(readHistory, ...asked),
		values: (spec) => outside(readList, spec),
	};
}
