/**
 * Who may look: browsers that gave the password (sessions), and holders of a share link. Both are rows that hold the hash of a token.
 * Any instance knows them; one that is ended is ended on every instance within 5 s, its open streams too. What was
 * found is believed for half of that; while the database does not answer, what was known goes on (the page must be able to say that the
 * database is gone). It knows no cookie and no address.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Sql } from 'postgres';
import { withDeadline } from './deadline';

/** Since it was last used. */
export const SESSION_MS = 30 * 24 * 60 * 60_000;
/**
 * How long an answer of the database is believed, counted from the question. A stream that is opened at the end of it is looked at WATCH_MS
 * later: together they are the bound on how late an end is noticed, which is 5 s.
 */
export const FRESH_MS = 2_500;
/** Expiry and last use move at most so often: a page that is open all day writes a row an hour. */
const TOUCH_MS = 60 * 60_000;
/** Between two looks at those who have open streams. */
const WATCH_MS = 2_000;
const DEADLINE_MS = 2_000;
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
	/** The same, for who is known by the hash already. */
	findByHash(hash: string): Promise<Viewer | null>;
	/** Ends a session. */
	end(viewer: Viewer): Promise<void>;
	/** Ends every session, of all browsers; links go on. */
	endAll(): Promise<void>;
	/** This one has been ended in the database: nobody here believes in it any more. */
	forget(hash: string): void;
	/** @returns a signal that fires when the viewer has been ended, and a function for who does not look any more; safe to call twice */
	follow(viewer: Viewer): { ended: AbortSignal; leave: () => void };
	stop(): void;
};

/** @param sql a pooled client */
export function createViewers({
	sql,
	now = Date.now,
	watchMs = WATCH_MS,
	freshMs = FRESH_MS,
}: {
	sql: Sql;
	now?: () => number;
	watchMs?: number;
	freshMs?: number;
}): Viewers {
	/** By hash, the oldest first. Apart, so that guesses push out guesses only. */
	const known = new Map<string, { viewer: Viewer; at: number }>();
	const unknown = new Map<string, { viewer: null; at: number }>();
	const followed = new Map<string, { ending: AbortController; followers: number }>();
	let timer: ReturnType<typeof setTimeout> | undefined;
	let stopped = false;

	/** @param at when the database was asked */
	function keep(hash: string, viewer: Viewer | null, at: number) {
		known.delete(hash);
		unknown.delete(hash);
		if (viewer) known.set(hash, { viewer, at });
		else unknown.set(hash, { viewer, at });
		for (const kept of [known, unknown])
			if (kept.size > KEPT) kept.delete(kept.keys().next().value as string);
	}

	function forget(hash: string) {
		keep(hash, null, now());
		followed.get(hash)?.ending.abort();
		followed.delete(hash);
	}

	async function read(hashes: string[]): Promise<(Viewer & { lastUsedAt: number | null })[]> {
		const rows = await withDeadline(
			sql<Row[]>`
				select 'session' as kind, hash, expires_at, null::timestamptz as last_used_at
				from sessions where hash in ${sql(hashes)} and expires_at > now()
				union all
				select 'link', hash, expires_at, last_used_at
				from share_links
				where hash in ${sql(hashes)} and revoked_at is null and (expires_at is null or expires_at > now())`,
			DEADLINE_MS,
			'looking for who may look',
		);
		return rows.map(({ kind, hash, expires_at, last_used_at }) => ({
			kind,
			hash,
			expiresAt: expires_at?.getTime() ?? null,
			lastUsedAt: last_used_at?.getTime() ?? null,
		}));
	}

	async function ask(hash: string): Promise<Viewer | null> {
		const [found] = await read([hash]);
		if (!found) return null;
		const { lastUsedAt, ...viewer } = found;
		if (viewer.kind === 'link') {
			if (lastUsedAt === null || lastUsedAt < now() - TOUCH_MS)
				await touch(sql`update share_links set last_used_at = now() where hash = ${hash}`);
			return viewer;
		}
		if ((viewer.expiresAt ?? 0) > now() + SESSION_MS - TOUCH_MS) return viewer;
		// used: it lasts on from here
		const expiresAt = now() + SESSION_MS;
		await touch(sql`update sessions set expires_at = ${new Date(expiresAt)} where hash = ${hash}`);
		return { ...viewer, expiresAt };
	}

	const touch = (query: PromiseLike<unknown>) => withDeadline(query, DEADLINE_MS, 'noting the use');

	async function findByHash(hash: string): Promise<Viewer | null> {
		const before = known.get(hash) ?? unknown.get(hash);
		const at = now();
		if (before && at - before.at < freshMs) return before.viewer;
		try {
			const viewer = await ask(hash);
			// ended while the question was under way: that is the newer answer
			if ((unknown.get(hash)?.at ?? 0) > at) return null;
			keep(hash, viewer, at);
			return viewer;
		} catch (error) {
			if (before?.viewer && (before.viewer.expiresAt ?? now() + 1) > now()) return before.viewer;
			throw error;
		}
	}

	/** those whose streams are open, in one query */
	async function watch() {
		const hashes = [...followed.keys()];
		try {
			const alive = new Set((await read(hashes)).map(({ hash }) => hash));
			for (const hash of hashes) if (!alive.has(hash)) forget(hash);
		} catch {
			// nobody can be ended either while the database is away
		}
		plan();
	}

	function plan() {
		clearTimeout(timer);
		timer = undefined;
		if (stopped || followed.size === 0) return;
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
		find: async (token) => (TOKEN.test(token) ? findByHash(toHash(token)) : null),
		findByHash,
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
		stop() {
			stopped = true;
			clearTimeout(timer);
		},
	};
}

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
