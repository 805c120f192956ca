/**
 * Keeps a process reading: joins LISTEN and the drain loop, chooses their pace, and says whether the database and NOTIFY
 * work. What a drain does is publisher.ts.
 */
import type { Logger } from 'pino';
import type { DatabaseState, ListenerState } from '../../protocol';
import type { Sql } from '../db/connect';
import { explain, type Diagnosis } from '../db/diagnose';
import { logTrouble } from '../db/trouble-log';
import { DEAF_POLL_MS, POLL_MS, startDrainLoop, UNWATCHED_POLL_MS } from '../reader/drain-loop';
import { SELF_PING_MS, startListener, type Listener } from '../reader/listener';
import { toRestMs } from './rest';

/** Where others read Postgres, what they have read rings. */
const FOLLOWING_POLL_MS = 1_000;
/** While no client watches, the listener is checked as rarely as the table. */
const UNWATCHED_PING_MS = 60_000;

const LISTENER_SAYS = {
	up: 'NOTIFY arrives',
	deaf: 'NOTIFY does not arrive; polling instead. Behind a pooler, set DATABASE_DIRECT_URL to the direct address',
};

export type ReadingLoop = {
	/** A drain that starts after this call has ended. Rejects when it failed. */
	force(): Promise<void>;
	/** NOTIFY was heard and no drain has answered it yet. */
	pending(): boolean;
	/** Looks at the table and at NOTIFY now, instead of when it is due. */
	look(): void;
	/** Something may have been committed. */
	ring(): void;
	/** What `reads` says has changed. */
	turn(): void;
	database(): DatabaseState;
	listener(): ListenerState;
	/** why the database is down; null when it is up, or before the first attempt */
	trouble(): Diagnosis | null;
	/** Resolves when the database answers again, or at `stop`. */
	becomesUp(): Promise<void>;
	/** `drainMs`: of the last that succeeded; `drainedAt`: when, as `performance.now()` says; null: not yet */
	counts(): { drains: number; drainMs: number | null; drainedAt: number | null };
	stop(): Promise<void>;
};

/**
 * @param connect makes a client on the direct connection
 * @param drain reads and publishes; resolves to how many events
 * @param isWatched a client watches: otherwise the pace is slow
 * @param reads Postgres is asked for new rows; otherwise it does not listen, and `ring` says when there are some
 * @param busyMs how long the last broadcast kept the process busy
 * @param onChange `database`, `listener` or `trouble` has changed
 * @param onDrain a drain succeeded, and took so long
 */
export function startReadingLoop({
	connect,
	drain,
	isWatched,
	reads = () => true,
	busyMs,
	frameIntervalMs,
	onChange,
	onDrain,
	log,
}: {
	connect: () => Sql;
	drain: (sql: Sql, asked: boolean) => Promise<number>;
	isWatched: () => boolean;
	reads?: () => boolean;
	busyMs: () => number;
	frameIntervalMs: number;
	onChange: () => void;
	onDrain: (ms: number) => void;
	log: Logger;
}): ReadingLoop {
	const counts: ReturnType<ReadingLoop['counts']> = { drains: 0, drainMs: null, drainedAt: null };
	let waiting: (() => void)[] = [];

	function release() {
		for (const go of waiting) go();
		waiting = [];
	}

	const listen = () =>
		startListener({
			connect,
			onBell: () => loop.ring(),
			onState(now, reason, answered) {
				log[now === 'up' ? 'info' : 'warn'](
					{ listener: now, reason },
					answered ? LISTENER_SAYS[now] : 'LISTEN failed; trying again',
				);
				onChange();
			},
			pingMs: () => (isWatched() ? SELF_PING_MS : UNWATCHED_PING_MS),
		});
	let listener: Listener | null = reads() ? listen() : null;

	function turn() {
		if (stopped) return;
		if (reads()) listener ??= listen();
		else {
			void listener?.stop();
			listener = null;
		}
		loop.ring();
		onChange();
	}
	let stopped = false;

	function pollMs() {
		if (!listener) return FOLLOWING_POLL_MS;
		if (listener.state() === 'deaf') return DEAF_POLL_MS;
		return isWatched() ? POLL_MS : UNWATCHED_POLL_MS;
	}

	const loop = startDrainLoop({
		connect,
		async run(sql, asked) {
			const start = performance.now();
			const events = await drain(sql, asked);
			counts.drains++;
			counts.drainedAt = performance.now();
			counts.drainMs = counts.drainedAt - start;
			onDrain(counts.drainMs);
			return events;
		},
		pollMs,
		restMs(events) {
			// on an instance that follows the relay, the reader has rested already
			return toRestMs(events, counts.drainMs ?? 0, busyMs(), listener ? frameIntervalMs : 0);
		},
		onState(now, error) {
			if (now === 'up') log.info({ database: now }, 'the database answers');
			// a client that is not used opens no connection
			else logTrouble(log, connect().options, loop.trouble(), error, 'the database cannot be used');
			onChange();
			if (now === 'up') release();
		},
		explain: (error) => explain(error, connect),
	});

	return {
		force: loop.force,
		pending: loop.pending,
		look() {
			loop.ring();
			listener?.check();
		},
		ring: loop.ring,
		turn,
		database: loop.state,
		listener: () => listener?.state() ?? 'up',
		trouble: loop.trouble,
		becomesUp: () => new Promise((resolve) => waiting.push(resolve)),
		counts: () => ({ ...counts }),
		async stop() {
			stopped = true;
			release();
			await Promise.all([listener?.stop(), loop.stop()]);
		},
	};
}
