/**
 * Who may look: browsers that gave the password (sessions), and holders of a share link. Both are rows that hold the hash of a token.
 * Any instance knows them; one that is ended is ended on every instance within 5 s, its open streams too. What was
 * found is believed for half of that. Whoever is known here is looked at every two seconds, and forgotten a minute after the last request
 * and stream: so that when the database goes away, who was known goes on (the page must be able to say that the database is gone), and
 * nobody is among them who was ended before. It knows no cookie and no address.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Sql } from 'postgres';
import { createBatchedLookup } from '../db/batch-loader';
import { toArray } from '../db/array';
import { withDeadline } from '../db/deadline';

/** Since it was last used. */
export const SESSION_MS = 30 * 24 * 60 * 60_000;
/**
 * How long an answer of the database is believed, counted from the question. A stream that is opened at the end of it is looked at WATCH_MS
 * later: together they are the bound on how late an end is noticed, which is 5 s.
 */
export const FRESH_MS = 2_500;
/** Expiry and last use move at most so often: a page that is open all day writes a row an hour. */
const TOUCH_MS = 60 * 60_000;
/** A database that takes no writes is not asked at every look. */
const RETRY_NOTE_MS = 60_000;
/** Between two looks at those who are known. */
const WATCH_MS = 2_000;
/** Since the last request of somebody without an open stream. */
const IDLE_MS = 60_000;
const DEADLINE_MS = 2_000;
/** Of strangers: see batched-lookup.ts. Nobody waits for a database that is away: the page says so. */
const BOUNDS = { asked: 10_000, perQuery: 1_000, waitMs: 0, retryPauseMs: 0 };
/** Known tokens kept in memory, of the right ones and of the wrong ones each. */
const KEPT = 10_000;
/** As `createToken` makes them: what is none need not be looked for. */
const TOKEN = /^[\w-]{43}$/;

export type Viewer = {
	kind: 'session' | 'link';
	hash: string;
	/** ms since 1970; null: it does not expire */
	expiresAt: number | null;
};

export type Viewers = {
	/** A new session. @returns the token for the cookie; it is not known afterwards */
	begin(): Promise<string>;
	/** Resolves to null when nobody holds it; rejects when that cannot be known. */
	find(token: string): Promise<Viewer | null>;
	/** Whether the last answer about it was that it may look; asks nobody. */
	knows(token: string): boolean;
	/** Ends a session. */
	end(viewer: Viewer): Promise<void>;
	/** Ends every session, of all browsers; links go on. */
	endAll(): Promise<void>;
	/** This one has been ended in the database: nobody here believes in it any more. */
	forget(hash: string): void;
	/** @returns a signal that fires when the viewer has been ended, and a function for who does not look any more; safe to call twice */
	follow(viewer: Viewer): { ended: AbortSignal; leave: () => void };
	stop(): Promise<void>;
};

/** `at`: when the database said so last; `usedAt`: the last request */
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
	/** By hash, the oldest first. Apart, so that guesses push out guesses only. */
	const known = new Map<string, Known>();
	const unknown = new Map<string, number>();
	const followed = new Map<string, { ending: AbortController; followers: number }>();
	const lookup = createBatchedLookup({ noun: 'viewer', read: look, bounds: BOUNDS, now });
	let sql = connect();
	let timer: ReturnType<typeof setTimeout> | undefined;
	let stopped = false;
	/** in ms since 1970: their use could not be written */
	let notAgainBefore = -Infinity;

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
		followed.get(hash)?.ending.abort();
		followed.delete(hash);
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

	/** Those of the hashes that may look; null: the database gave no answer. */
	async function look(hashes: readonly string[]): Promise<Map<string, Viewer> | null> {
		const at = now();
		const rows = await read(hashes);
		if (!rows) return null;
		await note(rows);
		const viewers = new Map<string, Viewer>();
		for (const { kind, hash, expiresAt } of rows) viewers.set(hash, { kind, hash, expiresAt });
		for (const hash of hashes) {
			// ended while the question was under way: that is the newer answer
			if ((unknown.get(hash) ?? -Infinity) > at) viewers.delete(hash);
			else keep(hash, viewers.get(hash) ?? null, at);
		}
		return viewers;
	}

	async function read(hashes: readonly string[]): Promise<Found[] | null> {
		const asked = toArray(hashes);
		try {
			const rows = await withDeadline(
				sql<Row[]>`
					select 'session' as kind, hash, expires_at, null::timestamptz as last_used_at
					from sessions where hash = any(${asked}::text[]) and expires_at > now()
					union all
					select 'link', hash, expires_at, last_used_at
					from share_links
					where hash = any(${asked}::text[]) and revoked_at is null and (expires_at is null or expires_at > now())`,
				DEADLINE_MS,
				'looking for who may look',
			);
			return rows.map(({ kind, hash, expires_at, last_used_at }) => ({
				kind,
				hash,
				expiresAt: expires_at?.getTime() ?? null,
				lastUsedAt: last_used_at?.getTime() ?? null,
			}));
		} catch {
			renew();
			return null;
		}
	}

	/** They are used: a session lasts on from here, of a link it is written when. Where that cannot be written they may look all the same. */
	async function note(rows: Found[]): Promise<void> {
		const time = now();
		if (time < notAgainBefore) return;
		const links = rows.filter(
			({ kind, lastUsedAt }) => kind === 'link' && (lastUsedAt ?? 0) < time - TOUCH_MS,
		);
		const sessions = rows.filter(
			({ kind, expiresAt }) =>
				kind === 'session' && (expiresAt ?? 0) <= time + SESSION_MS - TOUCH_MS,
		);
		const expiresAt = time + SESSION_MS;
		const of = (some: Found[]) => toArray(some.map(({ hash }) => hash));
		try {
			if (links.length > 0)
				await touch(
					sql`update share_links set last_used_at = now() where hash = any(${of(links)}::text[])`,
				);
			if (sessions.length === 0) return;
			await touch(
				// one that has ended since it was read stays so
				sql`
					update sessions set expires_at = ${new Date(expiresAt)}
					where hash = any(${of(sessions)}::text[]) and expires_at > now()`,
			);
			for (const session of sessions) session.expiresAt = expiresAt;
		} catch {
			notAgainBefore = time + RETRY_NOTE_MS;
			renew();
		}
	}

	const touch = (query: PromiseLike<unknown>) => withDeadline(query, DEADLINE_MS, 'noting the use');

	/** After a lost connection postgres.js may keep a query that it never sends: begin with a fresh client. */
	function renew() {
		if (stopped) return;
		sql.end({ timeout: 0 }).catch(() => {});
		sql = connect();
	}

	/** those who are known, in one query */
	async function watch() {
		const at = now();
		const isIdle = (hash: string) =>
			!followed.has(hash) && at - (known.get(hash)?.usedAt ?? at) >= IDLE_MS;
		const hashes = [...new Set([...known.keys(), ...followed.keys()])];
		const watched = hashes.filter((hash) => !isIdle(hash));
		const rows = watched.length > 0 ? await read(watched) : [];
		// nobody can be ended either while the database is away
		if (rows) {
			const found = new Map(rows.map((row) => [row.hash, row.expiresAt]));
			for (const hash of watched) {
				const one = known.get(hash);
				const expiresAt = found.get(hash);
				// known since: this answer is older than that
				if (one && one.at > at) continue;
				if (expiresAt === undefined) forget(hash);
				else if (one) Object.assign(one, { at, viewer: { ...one.viewer, expiresAt } });
			}
			for (const hash of hashes) if (isIdle(hash)) known.delete(hash);
			// found in memory ever since, they are looked up by nobody else
			await note(rows);
		}
		plan();
	}

	function plan() {
		clearTimeout(timer);
		timer = undefined;
		if (stopped || known.size + followed.size === 0) return;
		timer = setTimeout(() => void watch(), watchMs);
		timer.unref();
	}

	return {
		async begin() {
			const { token, hash } = createToken();
			const expiresAt = now() + SESSION_MS;
			await withDeadline(
				sql`
					with old as (delete from sessions where expires_at <= now()),
					audited as (insert into audit (action) values ('login'))
					insert into sessions (hash, expires_at) values (${hash}, ${new Date(expiresAt)})`,
				DEADLINE_MS,
				'beginning a session',
			);
			keep(hash, { kind: 'session', hash, expiresAt }, now());
			return token;
		},
		knows: (token) => TOKEN.test(token) && known.has(toHash(token)),
		find: async (token) => (TOKEN.test(token) ? find(toHash(token)) : null),
		async end({ hash }) {
			await withDeadline(
				sql`delete from sessions where hash = ${hash}`,
				DEADLINE_MS,
				'ending a session',
			);
			forget(hash);
		},
		async endAll() {
			await withDeadline(
				sql`
					with audited as (insert into audit (action) values ('logged out everywhere'))
					delete from sessions`,
				DEADLINE_MS,
				'ending all sessions',
			);
			for (const [hash, { viewer }] of [...known]) if (viewer.kind === 'session') forget(hash);
		},
		forget,
		follow({ hash }) {
			const one = followed.get(hash) ?? { ending: new AbortController(), followers: 0 };
			// a share link may have a hundred screens: Node takes more than ten for a mistake, and says so on stderr
			setMaxListeners(0, one.ending.signal);
			one.followers++;
			followed.set(hash, one);
			if (timer === undefined) plan();
			let left = false;
			return {
				ended: one.ending.signal,
				leave() {
					if (left) return;
					left = true;
					if (--one.followers === 0 && followed.get(hash) === one) followed.delete(hash);
				},
			};
		},
		async stop() {
			stopped = true;
			clearTimeout(timer);
			await lookup.close();
			await sql.end({ timeout: 1 });
		},
	};
}

type Found = Viewer & { lastUsedAt: number | null };
type Row = {
	kind: 'session' | 'link';
	hash: string;
	expires_at: Date | null;
	last_used_at: Date | null;
};

/** 32 random bytes, and the hash that is kept of them: nothing slower is needed, for they cannot be guessed. */
export function createToken(): { token: string; hash: string } {
	const token = randomBytes(32).toString('base64url');
	return { token, hash: toHash(token) };
}

function toHash(token: string): string {
	return createHash('sha256').update(token).digest('hex');
}
