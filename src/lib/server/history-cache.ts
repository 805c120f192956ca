/**
 * History for everybody who asks: one reading for each range, source and zone at a time, kept for some seconds, so that any
 * number of open pages costs the database the same. The stream never waits for it.
 */
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import type { History, HistoryRange } from '../protocol';
import { withDeadline } from './deadline';
import { readHistory, ZoneError } from './read-history';

export type HistoryReader = {
	/**
	 * @param source null: all
	 * @param zone IANA time zone
	 * @throws ZoneError, a DeadlineError, or what the database says
	 */
	read(range: HistoryRange, source: string | null, zone: string): Promise<History>;
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
const DEADLINE_MS = 5_000;

/** @param now ms, for the age of what is kept */
export function createHistory({
	sql,
	log,
	now = Date.now,
	read = readHistory,
}: {
	sql: Sql;
	log: Logger;
	now?: () => number;
	read?: typeof readHistory;
}): HistoryReader {
	const kept = new Map<string, { until: number; history: Promise<History> }>();
	return {
		read(range, source, zone) {
			const key = JSON.stringify([range, source, zone]);
			const found = kept.get(key);
			if (found && found.until > now()) return found.history;
			const history = withDeadline(read(sql, { range, source, zone }), DEADLINE_MS, 'history');
			kept.delete(key);
			const entry = { until: now() + KEPT_MS[range], history };
			kept.set(key, entry);
			history.then(
				({ begins }) => {
					// nothing has been counted yet: that is soon over
					if (begins === null) entry.until = now() + KEPT_MS['30min'];
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
			return history;
		},
	};
}
