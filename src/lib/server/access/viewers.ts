/**
 * Authenticates viewers: browsers that gave the password (sessions), and holders of a share link. A viewer
 * ended on one instance is ended on every other within 5 s, with its open streams: FRESH_MS + WATCH_MS.
 * While the database is unavailable, viewers known here stay valid until they expire. They are checked
 * every 2 s before that, so none of them was ended earlier.
 */
import type { Sql } from '../db/connect';
import { createBatchedLookup } from '../db/batch-loader';
import type { StreamEnd } from './stream-expiry';
import { createViewerRows, type Viewer } from './viewer-rows';
import { createViewerStreams } from './viewer-streams';
import { createToken, hashToken, isToken } from './viewer-token';

/** How long an answer of the database is believed, counted from the question. */
export const FRESH_MS = 2_500;
/** Between two checks of the known viewers. */
const WATCH_MS = 2_000;
/** A viewer without an open stream is forgotten so long after its last request. */
const IDLE_MS = 60_000;
/** For lookups of unknown tokens, see batch-loader.ts. None waits for a database that is away: the page says so. */
const BOUNDS = { asked: 10_000, perQuery: 1_000, waitMs: 0, retryPauseMs: 0 };
/** Tokens kept in memory, valid and invalid ones each. */
const KEPT = 10_000;

export type Viewers = {
	/** A new session. @returns the token for the cookie; it is not kept */
	begin(): Promise<string>;
	/** Resolves to null when the token is not valid; rejects when the database gives no answer. */
	find(token: string): Promise<Viewer | null>;
	/** Whether the last answer about the token was that it is valid. Takes no query. */
	knows(token: string): boolean;
	/** Ends a session. */
	end(viewer: Viewer): Promise<void>;
	/** Ends every session, of all browsers; links go on. */
	endAll(): Promise<void>;
	/** This viewer has been ended in the database: ends its streams here. */
	forget(hash: string): void;
	/** A stream of the viewer was opened. */
	follow(viewer: Viewer): StreamEnd;
	stop(): Promise<void>;
};

/** `at`: when the database was last asked; `usedAt`: the last request */
type Known = { viewer: Viewer; at: number; usedAt: number };

/**
 * @param connect makes a client; one connection is enough. It is ended here
 * @param now milliseconds since 1970
 */
export function createViewers({
	connect,
	now = Date.now,
	watchMs = WATCH_MS,
	freshMs = FRESH_MS,
}: {
	connect: () => Sql;
	now?: () => number;
	watchMs?: number;
	freshMs?: number;
}): Viewers {
	/** By hash, the oldest first. Two maps, so that guesses evict only guesses. */
	const known = new Map<string, Known>();
	const unknown = new Map<string, number>();
	const rows = createViewerRows(connect, now);
	const streams = createViewerStreams();
	const lookup = createBatchedLookup({ noun: 'viewer', read: look, bounds: BOUNDS, now });
	let timer: ReturnType<typeof setTimeout> | undefined;
	let stopped = false;

	/** @param at when the database was asked */
	function keep(hash: string, viewer: Viewer | null, at: number) {
		known.delete(hash);
		unknown.delete(hash);
		if (viewer) known.set(hash, { viewer, at, usedAt: now() });
		else unknown.set(hash, at);
		for (const kept of [known, unknown])
			if (kept.size > KEPT) kept.delete(kept.keys().next().value as string);
		if (timer === undefined) plan();
	}

	function forget(hash: string) {
		keep(hash, null, now());
		streams.end(hash);
	}

	async function find(hash: string): Promise<Viewer | null> {
		const before = known.get(hash);
		const refusedAt = unknown.get(hash);
		if (refusedAt !== undefined && now() - refusedAt < freshMs) return null;
		if (before) before.usedAt = now();
		if (before && now() - before.at < freshMs) return before.viewer;
		try {
			return await lookup.ask(hash);
		} catch (error) {
			if (before && known.has(hash) && (before.viewer.expiresAt ?? Infinity) > now())
				return before.viewer;
			throw error;
		}
	}

	/** The viewers among these hashes; null: the database gave no answer. */
	async function look(hashes: readonly string[]): Promise<Map<string, Viewer> | null> {
		const at = now();
		const found = await rows.read(hashes);
		if (!found) return null;
		await rows.noteUse(found);
		const viewers = new Map<string, Viewer>();
		for (const { kind, hash, expiresAt, filter } of found)
			viewers.set(hash, { kind, hash, expiresAt, filter });
		for (const hash of hashes) {
			// ended during the query: that is the newer answer
			if ((unknown.get(hash) ?? -Infinity) > at) viewers.delete(hash);
			else keep(hash, viewers.get(hash) ?? null, at);
		}
		return viewers;
	}

	/** Checks the known viewers in one query, and forgets idle ones. */
	async function watch() {
		const at = now();
		const isIdle = (hash: string) =>
			!streams.has(hash) && at - (known.get(hash)?.usedAt ?? at) >= IDLE_MS;
		const hashes = [...new Set([...known.keys(), ...streams.hashes()])];
		const watched = hashes.filter((hash) => !isIdle(hash));
		const found = watched.length > 0 ? await rows.read(watched) : [];
		// while the database is away, no viewer can be ended either
		if (found) {
			check(watched, new Map(found.map((row) => [row.hash, row.expiresAt])), at);
			for (const hash of hashes) if (isIdle(hash)) known.delete(hash);
			// a viewer found in memory is not looked up otherwise
			await rows.noteUse(found);
		}
		plan();
	}

	function check(hashes: string[], expiryOf: Map<string, number | null>, at: number) {
		for (const hash of hashes) {
			const one = known.get(hash);
			const expiresAt = expiryOf.get(hash);
			// looked up since: this answer is older
			if (one && one.at > at) continue;
			if (expiresAt === undefined) forget(hash);
			else if (one) Object.assign(one, { at, viewer: { ...one.viewer, expiresAt } });
		}
	}

	function plan() {
		clearTimeout(timer);
		timer = undefined;
		if (stopped || (known.size === 0 && streams.hashes().length === 0)) return;
		timer = setTimeout(() => void watch(), watchMs);
		timer.unref();
	}

	return {
		async begin() {
			const { token, hash } = createToken();
			const expiresAt = await rows.beginSession(hash);
			keep(hash, { kind: 'session', hash, expiresAt, filter: [] }, now());
			return token;
		},
		knows: (token) => isToken(token) && known.has(hashToken(token)),
		find: async (token) => (isToken(token) ? find(hashToken(token)) : null),
		async end({ hash }) {
			await rows.endSession(hash);
			forget(hash);
		},
		async endAll() {
			await rows.endAllSessions();
			for (const [hash, { viewer }] of [...known]) if (viewer.kind === 'session') forget(hash);
		},
		forget,
		follow({ hash }) {
			const stream = streams.follow(hash);
			if (timer === undefined) plan();
			return stream;
		},
		async stop() {
			stopped = true;
			clearTimeout(timer);
			await lookup.close();
			await rows.stop();
		},
	};
}
