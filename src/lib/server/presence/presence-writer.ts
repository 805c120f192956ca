/**
 * Collects heartbeats and writes them every two seconds, in one statement. Nothing waits for it: a heartbeat
 * that is lost with the process comes again within seconds. While the database is away the newest of each session is kept.
 */
import type { Logger } from 'pino';
import { LOST_MS } from '../../presence';
import { UnavailableError } from '../db/errors';
import { startRepeating } from '../db/repeat';
import { withDeadline } from '../db/deadline';
import type { RenewingClient } from '../db/renewing-client';
import { LATE_MS, toPresenceId, type Said } from './presence-row';
import { deleteGone, writePresence } from './write-presence';

export type PresenceWriter = {
	/** @throws UnavailableError when too many sessions wait to be written */
	hear(said: readonly Said[]): void;
	/** Writes what is held. Safe to call twice. */
	close(): Promise<void>;
};

export const WRITE_EVERY_MS = 2_000;
/** Sessions that wait to be written: about 20 MB. */
export const MAX_HELD = 50_000;
/** Of one statement, so that it never takes long. */
const WRITTEN_AT_ONCE = 5_000;
const DELETE_EVERY_MS = 30_000;
const DEADLINE_MS = 5_000;

type Held = { said: Said; at: number };

/** @param now milliseconds that only go forward */
export function startPresenceWriter({
	client,
	log,
	everyMs = WRITE_EVERY_MS,
	maxHeld = MAX_HELD,
	now = () => performance.now(),
}: {
	client: RenewingClient;
	log: Pick<Logger, 'info' | 'warn'>;
	everyMs?: number;
	maxHeld?: number;
	now?: () => number;
}): PresenceWriter {
	let held = new Map<string, Held>();
	/** rows may be there that have to be deleted */
	let used = true;
	let deletedAt = now();
	let away = false;

	async function write() {
		const group = held;
		held = new Map();
		const fresh = [...group].filter(([, { at }]) => now() - at < LOST_MS);
		try {
			for (let from = 0; from < fresh.length; from += WRITTEN_AT_ONCE) {
				const part = fresh.slice(from, from + WRITTEN_AT_ONCE);
				const heard = part.map(([, { said, at }]) => ({ ...said, heardAgoMs: now() - at }));
				await client.run((sql) => withDeadline(writePresence(sql, heard), DEADLINE_MS, 'presence'));
			}
			if (used && now() - deletedAt >= DELETE_EVERY_MS) {
				deletedAt = now();
				used = await client.run((sql) => withDeadline(deleteGone(sql), DEADLINE_MS, 'deleting'));
			}
			if (away) log.info('presence is written again');
			away = false;
		} catch (error) {
			// what was said meanwhile is newer; written twice it is the same
			const newer = held;
			held = new Map(fresh);
			for (const [id, { said, at }] of newer) keep(id, said, at);
			throw error;
		}
	}

	function keep(id: string, said: Said, at: number) {
		const before = held.get(id)?.said;
		if (before && (isLate(said, before) || isOver(said, before))) return;
		held.set(id, { said: { ...said, origin: said.origin ?? before?.origin ?? null }, at });
	}

	const writing = startRepeating({
		everyMs,
		run: write,
		onError(error) {
			if (!away) log.warn({ reason: String(error) }, 'presence cannot be written; trying again');
			away = true;
		},
	});

	return {
		hear(said) {
			if (held.size + said.length > maxHeld)
				throw new UnavailableError(
					`${held.size} sessions are waiting to be written: the queue is full.`,
				);
			used = true;
			for (const one of said) keep(toPresenceId(one), one, now());
		},
		async close() {
			await writing.stop();
			if (!away) await write().catch(() => {});
		},
	};
}

/** A page may say that it is hidden after it has said that it leaves: only a visible page brings a session back. */
function isOver({ state }: Said, before: Said): boolean {
	return state === 'hidden' && before.state === 'gone';
}

/** Overtaken by `before`, which came first: a page says that it is hidden and that it leaves at nearly the same time. */
function isLate(said: Said, before: Said): boolean {
	if (said.statedAt === null || before.statedAt === null) return false;
	// both are said at nearly the same time, and the end counts
	if (said.state === 'gone' && before.state === 'hidden') return false;
	return said.statedAt < before.statedAt && said.statedAt >= before.statedAt - LATE_MS;
}
