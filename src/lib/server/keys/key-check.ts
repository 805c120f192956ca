/**
 * Checks keys at the rate of requests: remembers answers for seconds, and batches all lookups during a
 * query into the next one. An answer is as old as its question, or a revoked key lives longer than
 * promised. An unavailable database is not a wrong key. Wrong keys must not evict good ones.
 */
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import { createBatchedLookup } from '../db/batch-loader';
import { withDeadline } from '../db/deadline';
import { createRenewingClient } from '../db/renewing-client';
import { findKeys, hashKey, isKey, noteUse, type FoundKey, type IngestKey } from './key-store';

export const KEY_BOUNDS = {
	/** a revoked key ends within this, on every instance */
	lifeMs: 5_000,
	/** remembered of each, good keys and wrong ones: about 300 bytes apiece */
	remembered: 10_000,
	/** different keys that wait for an answer */
	asked: 10_000,
	/** of them in one query */
	perQuery: 1_000,
	/** as long as ingest waits for the database: a restart must not lose beacons, which are not retried */
	waitMs: 2_000,
	retryPauseMs: 100,
	/** a query that has not settled by now never will: its connection is replaced */
	deadlineMs: 2_000,
};
export type KeyBounds = typeof KEY_BOUNDS;

export type KeyCheck = {
	/**
	 * Null: it is no key, is not known, or was revoked. Rejects with an UnavailableError when the database gives no answer
	 * within `waitMs` and one more deadline, or too many ask.
	 */
	check(key: string): Promise<IngestKey | null>;
	/** Whether the last answer about it was that it is good, however long ago: a good key is never taken for a guess. */
	knows(key: string): boolean;
	/** Waits until what was asked is answered, and disconnects. Safe to call twice. */
	close(): Promise<void>;
};

type Answer = IngestKey | null;
/** Of the deadline: the database gives up first. */
const SERVER_SHARE = 0.9;

/**
 * @param connect makes a client; one connection is enough. It is ended here
 * @param onFailed the database gave no answer
 * @param now milliseconds that only go forward
 */
export function createKeyCheck({
	connect,
	log,
	onFailed = () => {},
	now = () => performance.now(),
	bounds: given = {},
}: {
	connect: () => Sql;
	log: Pick<Logger, 'info' | 'warn'>;
	onFailed?: () => void;
	now?: () => number;
	bounds?: Partial<KeyBounds>;
}): KeyCheck {
	const bounds = { ...KEY_BOUNDS, ...given };
	/** apart, so that a flood of wrong keys forgets wrong keys only */
	const good = createMemory(bounds.remembered);
	const wrong = createMemory(bounds.remembered);
	const lookup = createBatchedLookup({ noun: 'key', read, bounds, now });
	const client = createRenewingClient(connect);
	let away = false;
	let noting = Promise.resolve();
	let noted = true;
	let closing: Promise<void> | null = null;

	async function check(key: string): Promise<Answer> {
		if (!isKey(key)) return null;
		const hash = hashKey(key);
		const remembered = good.recall(hash, now()) ?? wrong.recall(hash, now());
		return remembered ? remembered.answer : lookup.ask(hash);
	}

	/** Null: no answer. */
	async function read(hashes: readonly string[]): Promise<Map<string, IngestKey> | null> {
		// one connection, one after the other: what fails here must not cut off what is asked there
		await noting;
		const until = now() + bounds.lifeMs;
		try {
			const query = findKeys(client.sql(), hashes, bounds.deadlineMs * SERVER_SHARE);
			const found = await withDeadline(query, bounds.deadlineMs, 'checking keys');
			if (away) log.info('keys are checked again');
			away = false;
			noting = note(found);
			return remember(hashes, found, until);
		} catch (error) {
			if (!away) log.warn({ reason: String(error) }, 'keys cannot be checked now; requests wait');
			away = true;
			client.renew();
			onFailed();
			return null;
		}
	}

	function remember(hashes: readonly string[], found: readonly FoundKey[], until: number) {
		const keys = new Map<string, IngestKey>(
			found.map(({ hash, unnoted: _, ...key }) => [hash, key]),
		);
		for (const hash of hashes) {
			const answer = keys.get(hash) ?? null;
			(answer ? wrong : good).forget(hash);
			(answer ? good : wrong).remember(hash, answer, until);
		}
		return keys;
	}

	async function note(found: readonly FoundKey[]) {
		const hashes = found.filter(({ unnoted }) => unnoted).map(({ hash }) => hash);
		if (hashes.length === 0) return;
		try {
			await withDeadline(
				noteUse(client.sql(), hashes),
				bounds.deadlineMs,
				'noting the use of keys',
			);
			noted = true;
		} catch (error) {
			if (noted) log.warn({ reason: String(error) }, 'the use of a key was not noted');
			noted = false;
			client.renew();
		}
	}

	async function end() {
		await lookup.close();
		await noting;
		await client.end(1);
	}

	return {
		check,
		knows: (key) => isKey(key) && good.has(hashKey(key)),
		close: () => (closing ??= end()),
	};
}

/** Answers by hash, each until its time; when it is full, the oldest goes. */
function createMemory(size: number) {
	const entries = new Map<string, { answer: Answer; until: number }>();
	return {
		recall(hash: string, now: number): { answer: Answer } | undefined {
			const entry = entries.get(hash);
			return entry && now < entry.until ? entry : undefined;
		},
		has: (hash: string) => entries.has(hash),
		forget: (hash: string) => void entries.delete(hash),
		remember(hash: string, answer: Answer, until: number) {
			entries.delete(hash);
			const [oldest] = entries.keys();
			if (oldest !== undefined && entries.size >= size) entries.delete(oldest);
			entries.set(hash, { answer, until });
		},
	};
}
