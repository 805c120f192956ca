/**
 * Presence of one process: what is heard here is written to Postgres, and who is here is read from there, by each instance
 * at its own pace while clients watch. The time is that of the last reading: while the database is away, no one leaves.
 */
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import { startRepeating, type Repeating } from '../db/repeat';
import { LOST_MS } from '../../presence';
import type { People } from '../../protocol';
import { createPeople, type AllPeople } from './people';
import { startPresenceWriter, type PresenceWriter } from './presence-writer';
import { readPresence } from './read-presence';
import { createRenewingClient, type RenewingClient } from '../db/renewing-client';

export type PresenceReader = Pick<AllPeople, 'of' | 'list' | 'saw' | 'keep'> & {
	/** Reads until `stop`, and calls `onRead` after every reading. @param isWatched whether it is read often */
	start(isWatched: () => boolean, onRead: () => void): void;
	/** Everyone, as last read; null: that is too long ago to be recorded as the present. The same object while nothing has changed. */
	newest(): People | null;
	/** Reads now, unless it was read a moment ago. Resolves without it when the database does not answer in time. */
	fresh(): Promise<void>;
	stop(): Promise<void>;
};

const DEADLINE_MS = 5_000;
/** Between two readings. */
export const READ_EVERY_MS = 1_000;
/** The same while no client watches: ticks record who is here all the time. */
export const UNWATCHED_EVERY_MS = 10_000;
/** A reading is recorded as the present for so long. */
const RECORDED_MS = UNWATCHED_EVERY_MS + DEADLINE_MS;
/** Everything is read again so often: what a clock that was set back has hidden. */
const READ_ALL_EVERY_MS = 30_000;
/** And sooner when heartbeats of unknown sessions came, but not more often than this. */
const READ_ALL_REST_MS = 5_000;
/** A page is rendered without people rather than late. */
const FRESH_WITHIN_MS = 500;

/** @param connect makes a client; one connection is enough */
export function startPresence({
	connect,
	log,
	writeEveryMs,
}: {
	connect: () => Sql;
	log: Pick<Logger, 'info' | 'warn'>;
	/** shorter in tests */
	writeEveryMs?: number;
}): { hear: PresenceWriter['hear']; reader: PresenceReader; stop(): Promise<void> } {
	const client = createRenewingClient(connect);
	const reader = createPresenceReader(client, log);
	const writer = startPresenceWriter({
		client,
		log,
		...(writeEveryMs !== undefined && { everyMs: writeEveryMs }),
	});
	return {
		hear: writer.hear,
		reader,
		async stop() {
			await Promise.all([writer.close(), reader.stop()]);
			await client.end(1);
		},
	};
}

/** Starts nothing yet. */
export function createPresenceReader(
	client: RenewingClient,
	log: Pick<Logger, 'info' | 'warn'>,
): PresenceReader {
	const all = createPeople();
	/** groups of heartbeats that were read, by id, with their time */
	const seen = new Map<string, number>();
	let since: number | null = null;
	let allAt = -Infinity;
	let readAt = -Infinity;
	let reading: Promise<void> | null = null;
	let isIncomplete = false;
	let away = false;
	let repeating: Repeating | null = null;

	async function readNow() {
		const allMs = performance.now() - allAt;
		const isAll = allMs >= READ_ALL_EVERY_MS || (isIncomplete && allMs >= READ_ALL_REST_MS);
		const known = [...seen.keys()];
		const found = await client.run((sql) =>
			withDeadline(readPresence(sql, isAll ? null : since, known), DEADLINE_MS, 'presence'),
		);
		if (isAll) allAt = performance.now();
		readAt = performance.now();
		for (const { id, at } of found.beats) seen.set(id, at);
		for (const [id, at] of seen) if (found.at - at > LOST_MS) seen.delete(id);
		since = found.at;
		isIncomplete = !all.read(found);
		if (away) log.info('presence is read again');
		away = false;
	}

	const read = () => (reading ??= readNow().finally(() => (reading = null)));

	return {
		of: all.of,
		list: all.list,
		saw: all.saw,
		keep: all.keep,
		newest() {
			if (performance.now() - readAt > RECORDED_MS) return null;
			const people = all.of({ filter: [] });
			return people === 'unknown' ? null : people;
		},
		async fresh() {
			if (performance.now() - readAt < 2 * READ_EVERY_MS) return;
			// what is older is not shown as the present, but it is better than nothing while the database is away
			await withDeadline(read(), FRESH_WITHIN_MS, 'presence').catch(() => {});
		},
		start(isWatched, onRead) {
			repeating = startRepeating({
				everyMs: READ_EVERY_MS,
				async run() {
					if (!isWatched() && performance.now() - readAt < UNWATCHED_EVERY_MS) return;
					await read();
					onRead();
				},
				onError(error) {
					if (!away) log.warn({ reason: String(error) }, 'presence cannot be read; trying again');
					away = true;
				},
			});
		},
		async stop() {
			await repeating?.stop();
		},
	};
}
