/**
 * The last hour of this process, by the minute, in its own memory: at most 60 entries, whatever happens. No timers
 * here. A minute is as bad as its worst second.
 */
import type { HealthState, Minute } from '../../health';

export const MINUTE_MS = 60_000;
export const MINUTES = 60;
/** Delays kept for the quantiles of a minute: a frame each, ten a second. */
const MAX_DELAYS = 600;

/** Totals since the process began, and what is now. */
export type Reading = {
	state: HealthState;
	clients: number;
	events: number;
	rejected: number;
	/** how late the process was for something it had planned, in ms */
	lateMs: number;
};

export type LastHour = {
	/** Events were published so long after the newest of them was inserted. */
	delay(ms: number): void;
	/** To be called every second or so. */
	sample(reading: Reading): void;
	/** Oldest first; the last is the one that runs. Minutes in which nothing was sampled are not there. */
	minutes(): Minute[];
};

const GRAVITY: Record<HealthState, number> = { starting: 0, fine: 1, degraded: 2, broken: 3 };

/** @param now ms since 1970 */
export function createLastHour(now: () => number = Date.now): LastHour {
	const kept: Minute[] = [];
	let delays: number[] = [];
	let seen = { events: 0, rejected: 0 };

	/** the quantiles of the minute that runs */
	function settle() {
		const minute = kept.at(-1);
		if (!minute || delays.length === 0) return;
		const sorted = delays.toSorted((a, b) => a - b);
		minute.p50Ms = quantile(sorted, 0.5);
		minute.p99Ms = quantile(sorted, 0.99);
	}

	/** the minute that runs: a new one when the last is over */
	function current(): Minute {
		const at = new Date(Math.floor(now() / MINUTE_MS) * MINUTE_MS).toISOString();
		const last = kept.at(-1);
		if (last?.at === at) return last;
		const fresh: Minute = {
			at,
			state: 'starting',
			p50Ms: null,
			p99Ms: null,
			clients: 0,
			events: 0,
			rejected: 0,
			lateMs: 0,
		};
		settle();
		delays = [];
		kept.push(fresh);
		if (kept.length > MINUTES) kept.shift();
		return fresh;
	}

	return {
		delay(ms) {
			current();
			if (delays.length < MAX_DELAYS) delays.push(ms);
		},
		sample({ state, clients, events, rejected, lateMs }) {
			const minute = current();
			if (GRAVITY[state] > GRAVITY[minute.state]) minute.state = state;
			minute.clients = Math.max(minute.clients, clients);
			minute.lateMs = Math.max(minute.lateMs, lateMs);
			minute.events += events - seen.events;
			minute.rejected += rejected - seen.rejected;
			seen = { events, rejected };
		},
		minutes() {
			settle();
			const oldest = now() - MINUTES * MINUTE_MS;
			return kept.filter(({ at }) => Date.parse(at) > oldest).map((minute) => ({ ...minute }));
		},
	};
}

/** The least value that is not below a share `q` of them: one that was really seen (nearest rank). */
function quantile(sorted: readonly number[], q: number): number | null {
	return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? null;
}
