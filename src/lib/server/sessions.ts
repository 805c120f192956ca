/**
 * Browsers that gave the password: rows that hold the hash of what their cookie holds. Any instance knows them; one that is ended is
 * ended on every instance within FRESH_MS, its open streams too. What was found is believed for as long; while the
 * database does not answer, what was known goes on (the page must be able to say that the database is gone). It knows no cookie.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { withDeadline } from './deadline';

/** Since it was last used. */
export const SESSION_MS = 30 * 24 * 60 * 60_000;
/** How long an answer of the database is believed: the bound on how late an ended session is noticed. */
export const FRESH_MS = 4_000;
/** The expiry moves at most so often: a page that is open all day writes a row an hour. */
const SLIDE_MS = 60 * 60_000;
/** Between two looks at the sessions that have open streams. */
const WATCH_MS = 2_000;
const DEADLINE_MS = 2_000;
/** Known tokens, right or wrong, kept in memory; guessing must not fill it. */
const KEPT = 10_000;

export type Session = { hash: string; expiresAt: number };
export type Sessions = {
	/** A new one. @returns the token for the cookie; it is not known afterwards */
	begin(): Promise<string>;
	/** Resolves to null when there is none; rejects when that cannot be known. */
	find(token: string): Promise<Session | null>;
	end(session: Session): Promise<void>;
	/** Ends every session, of all browsers. */
	endAll(): Promise<void>;
	/** @returns a signal that fires when the session has ended, and a function for who does not look any more; safe to call twice */
	follow(session: Session): { ended: AbortSignal; leave: () => void };
	stop(): void;
};

/** @param sql a pooled client */
export function createSessions({
	sql,
	now = Date.now,
	watchMs = WATCH_MS,
	freshMs = FRESH_MS,
}: {
	sql: Sql;
	now?: () => number;
	watchMs?: number;
	freshMs?: number;
}): Sessions {
	/** by hash, the oldest first; null: there is none */
	const known = new Map<string, { session: Session | null; at: number }>();
	const followed = new Map<string, { ending: AbortController; followers: number }>();
	let timer: ReturnType<typeof setTimeout> | undefined;
	let stopped = false;

	function keep(hash: string, session: Session | null) {
		known.delete(hash);
		known.set(hash, { session, at: now() });
		if (known.size > KEPT) known.delete(known.keys().next().value as string);
	}

	function forget(hash: string) {
		keep(hash, null);
		followed.get(hash)?.ending.abort();
		followed.delete(hash);
	}

	async function ask(hash: string): Promise<Session | null> {
		const rows = await withDeadline(
			sql<{ expires_at: Date }[]>`
				select expires_at from sessions where hash = ${hash} and expires_at > now()`,
			DEADLINE_MS,
			'looking for a session',
		);
		const [row] = rows;
		return row ? { hash, expiresAt: row.expires_at.getTime() } : null;
	}

	/** used: it lasts on from here */
	async function slide(session: Session): Promise<Session> {
		if (session.expiresAt > now() + SESSION_MS - SLIDE_MS) return session;
		const expiresAt = now() + SESSION_MS;
		await withDeadline(
			sql`update sessions set expires_at = ${new Date(expiresAt)} where hash = ${session.hash}`,
			DEADLINE_MS,
			'prolonging a session',
		);
		return { ...session, expiresAt };
	}

	/** those whose streams are open, in one query */
	async function watch() {
		const hashes = [...followed.keys()];
		try {
			const rows = await withDeadline(
				sql<{ hash: string }[]>`
					select hash from sessions where hash in ${sql(hashes)} and expires_at > now()`,
				DEADLINE_MS,
				'looking at the sessions',
			);
			const alive = new Set(rows.map(({ hash }) => hash));
			for (const hash of hashes) if (!alive.has(hash)) forget(hash);
		} catch {
			// nobody can end one either while the database is away
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
			const token = randomBytes(32).toString('base64url');
			const session = { hash: toHash(token), expiresAt: now() + SESSION_MS };
			await withDeadline(
				sql`
					with old as (delete from sessions where expires_at <= now())
					insert into sessions (hash, expires_at) values (${session.hash}, ${new Date(session.expiresAt)})`,
				DEADLINE_MS,
				'beginning a session',
			);
			keep(session.hash, session);
			return token;
		},
		async find(token) {
			const hash = toHash(token);
			const before = known.get(hash);
			if (before && now() - before.at < freshMs) return before.session;
			try {
				const found = await ask(hash);
				const session = found && (await slide(found));
				keep(hash, session);
				return session;
			} catch (error) {
				if (before?.session && before.session.expiresAt > now()) return before.session;
				throw error;
			}
		},
		async end({ hash }) {
			await withDeadline(
				sql`delete from sessions where hash = ${hash}`,
				DEADLINE_MS,
				'ending a session',
			);
			forget(hash);
		},
		async endAll() {
			await withDeadline(sql`delete from sessions`, DEADLINE_MS, 'ending all sessions');
			for (const hash of [...known.keys()]) forget(hash);
		},
		follow({ hash }) {
			const one = followed.get(hash) ?? { ending: new AbortController(), followers: 0 };
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

function toHash(token: string): string {
	return createHash('sha256').update(token).digest('hex');
}
