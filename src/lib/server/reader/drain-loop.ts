/**
 * When to drain: at NOTIFY, at a poll, when asked; never two at once. Owns the drain's connection and the timing.
 * The first NOTIFY after silence drains at once; while busy there is one drain per interval at most, so that
 * frames are few and shared. The poll makes delivery independent of NOTIFY.
 */
import type { Sql } from '../db/connect';
import type { DatabaseState } from '../../protocol';
import { withDeadline } from '../db/deadline';
import { createRenewingClient } from '../db/renewing-client';
import { type Diagnosis } from '../db/diagnose';
import { toDatabaseTrouble } from '../db/errors';

/** Between two drains that published: frames cost by the client, so while much happens there are ten a second. */
export const FRAME_INTERVAL_MS = 100;
/** Of rest for each event in the last frame, up to the interval: waiting pays only when something joins (docs/decisions/0008). */
export const REST_PER_EVENT_MS = 20;
/** After a drain that found nothing: the next NOTIFY is answered at once, a storm of them is not. */
const EMPTY_REST_MS = 5;
/** The poll: the bound on the delay when a NOTIFY is lost. */
export const POLL_MS = 2_000;
/** While NOTIFY does not arrive, the poll is the only source. */
export const DEAF_POLL_MS = 250;
/** While no client watches, the windows may lag. */
export const UNWATCHED_POLL_MS = 30_000;
/** A query on an ended client may never settle; stopping does not wait for it. */
const STOP_MS = 1_000;
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 1_000;

export type DrainLoop = {
	/** Something may have been committed. */
	ring(): void;
	/** A drain that starts after this call has ended. Rejects when it failed. */
	force(): Promise<void>;
	/** NOTIFY was heard and no drain has answered it yet. */
	pending(): boolean;
	state(): DatabaseState;
	/** why it is down; null when it is up, or before the first attempt */
	trouble(): Diagnosis | null;
	stop(): Promise<void>;
};

/**
 * @param run one drain, over the given client, `asked` by `force` or not; resolves to how many events it published; it keeps a deadline of its own; any rejection renews the client and is retried
 * @param pollMs asked before every wait
 * @param explain what an error means; never rejects
 * @param onState the state or its cause has changed; `error` is null when the database answers
 * @param restMs asked after every drain that published, with that number: the least time until the next
 */
export function startDrainLoop({
	connect,
	run,
	pollMs,
	restMs,
	onState,
	explain = async (error) => ({ trouble: toDatabaseTrouble(error), fix: null }),
}: {
	connect: () => Sql;
	run: (sql: Sql, asked: boolean) => Promise<number>;
	pollMs: () => number;
	restMs: (events: number) => number;
	onState: (state: DatabaseState, error: unknown) => void;
	explain?: (error: unknown) => Promise<Diagnosis>;
}): DrainLoop {
	let state: DatabaseState = 'down';
	let trouble: Diagnosis | null = null;
	let stopped = false;
	let rung = true;
	let failures = 0;
	let waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
	let wake: () => void = () => {};
	const client = createRenewingClient(connect);

	function become(next: DatabaseState, why: Diagnosis | null, error: unknown) {
		const isSame = trouble?.trouble === why?.trouble && trouble?.fix === why?.fix;
		if ((state === next && isSame) || stopped) return;
		state = next;
		trouble = why;
		onState(next, error);
	}

	/** resolves after `ms`, or earlier when woken */
	function pause(ms: number, wakes: boolean) {
		return new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, ms);
			wake = () => {
				if (!wakes && waiting.length === 0 && !stopped) return;
				clearTimeout(timer);
				resolve();
			};
		});
	}

	/** resolves to the time to rest */
	async function once(): Promise<number> {
		rung = false;
		const asked = waiting;
		waiting = [];
		try {
			const events = await run(client.sql(), asked.length > 0);
			failures = 0;
			become('up', null, null);
			for (const one of asked) one.resolve();
			return events > 0 ? restMs(events) : EMPTY_REST_MS;
		} catch (error) {
			failures++;
			rung = true;
			for (const one of asked) one.reject(error);
			become('down', await explain(error), error);
			if (stopped) return 0;
			client.renew();
			return Math.min(MIN_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS);
		}
	}

	async function loop() {
		while (!stopped) {
			if (!rung && waiting.length === 0) await pause(pollMs(), true);
			if (stopped) return;
			const rest = await once();
			// who asked meanwhile does not wait for the rest, unless the database needs it
			if (waiting.length === 0 || failures > 0) await pause(rest, false);
		}
	}
	const done = loop();

	return {
		ring() {
			rung = true;
			wake();
		},
		force: () =>
			new Promise((resolve, reject) => {
				if (stopped) return reject(new Error('the drain has stopped'));
				waiting.push({ resolve, reject });
				wake();
			}),
		pending: () => rung,
		state: () => state,
		trouble: () => trouble,
		async stop() {
			stopped = true;
			wake();
			const error = new Error('the drain has stopped');
			for (const one of waiting) one.reject(error);
			await client.end(0).catch(() => {});
			await withDeadline(done, STOP_MS, 'the last drain').catch(() => {});
		},
	};
}
