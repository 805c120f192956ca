/**
 * What there is to be had, and what was once worth something: `node build` with a password, a session, a share link, tokens and keys
 * that are good, and those that were ended, each after the server had known it as good. The feed holds one event, the
 * canary: an answer that says its name has shown the dashboard.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { hashKey } from '../../src/lib/server/keys/key-store';
import { createTokens } from '../../src/lib/server/access/tokens';
import type { Sql } from '../../src/lib/server/db/connect';
import { createToken } from '../../src/lib/server/access/viewer-token';

export const PASSWORD = 'correct horse battery staple';
export const SECRET = 'a secret that all instances of the attempts share';
export const METRICS_TOKEN = 'a token for prometheus alone';
export const COOKIE = 'nowboard_viewer';
export const PAGE_ORIGIN = 'https://shop.example';

export type World = {
	/** the origin that the dashboard is served from, as people see it */
	origin: string;
	canary: string;
	session: string;
	link: string;
	ended: Record<'expiredSession' | 'loggedOut' | 'expiredLink' | 'revokedLink', string>;
	/** what the table has of the session that is good */
	sessionHash: string;
	/** `good` is the session's */
	tokens: Record<
		'good' | 'ofHash' | 'expired' | 'otherSecret' | 'otherScope' | 'ofLoggedOut',
		string
	>;
	keys: Record<'shop' | 'page' | 'revoked', string>;
	/** of the good link and of the good key */
	ids: { link: number; key: number };
};

/** The promise is 5 s (tests/http/ended.test.ts); a busy machine may take ten times as long. */
const ENDED_MS = 50_000;

export const WORLD_ENV = {
	DASHBOARD_PUBLIC: 'false',
	INGEST_OPEN: 'false',
	DASHBOARD_PASSWORD: PASSWORD,
	SECRET,
	METRICS_TOKEN,
	LOG_LEVEL: 'trace',
	// each attempt has its own address: the tarpit delays repeated refusals (src/lib/server/http/tarpit.ts)
	ADDRESS_HEADER: 'x-forwarded-for',
};

export async function addSession(
	sql: Sql,
	livesS = 3_600,
): Promise<{ token: string; hash: string }> {
	const made = createToken();
	await sql`
		insert into nowboard.sessions (hash, expires_at) values (${made.hash}, now() + ${livesS} * interval '1 s')`;
	return made;
}

export async function addLink(sql: Sql): Promise<{ token: string; hash: string; id: number }> {
	const made = createToken();
	const [row] = await sql<{ id: string }[]>`
		insert into nowboard.share_links (hash, name) values (${made.hash}, 'attempts') returning id`;
	return { ...made, id: Number(row?.id) };
}

export async function addKey(
	sql: Sql,
	kind: 'public' | 'secret',
	source: string,
	origins: string[] = [],
) {
	const key = `nb_${kind === 'public' ? 'pub' : 'sec'}_${randomBytes(32).toString('base64url')}`;
	const [row] = await sql<{ id: string }[]>`
		insert into nowboard.ingest_keys (hash, prefix, kind, source, name, origins)
		values (${hashKey(key)}, ${key.slice(0, 13)}, ${kind}, ${source}, ${source},
			ARRAY(SELECT jsonb_array_elements_text(${sql.json(origins)}::jsonb)))
		returning id`;
	return { key, id: Number(row?.id) };
}

/** @param url where the app is reached now, which need not be where people see it */
export async function createWorld(url: string, origin: string, sql: Sql): Promise<World> {
	const canary = `canary-${randomUUID()}`;
	await sql`insert into nowboard.events (name, source) values (${canary}, 'attempts')`;
	const [session, expired, loggedOut] = [
		await addSession(sql),
		await addSession(sql),
		await addSession(sql),
	];
	const [link, expiredLink, revokedLink] = [
		await addLink(sql),
		await addLink(sql),
		await addLink(sql),
	];
	const shop = await addKey(sql, 'secret', 'shop');
	const page = await addKey(sql, 'public', 'page', [PAGE_ORIGIN]);
	const revoked = await addKey(sql, 'secret', 'shop');
	const own = createTokens(async () => SECRET);
	const issue = async (tokens: typeof own, of: string) => (await tokens.issue(of)).token;
	const look = async (one: { token: string }) => {
		const headers = { cookie: `${COOKIE}=${one.token}` };
		return (await fetch(`${url}/api/dashboard/status`, { headers })).status;
	};
	const write = async (key: string) => {
		const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
		const sent = fetch(`${url}/api/events`, { method: 'POST', headers, body: '{"name":"warm"}' });
		return (await sent).status;
	};

	// each was good, and the server knows it
	const ending = [expired, loggedOut, expiredLink, revokedLink];
	expect(await Promise.all(ending.map(look))).toEqual([200, 200, 200, 200]);
	expect(await write(revoked.key)).toBe(202);
	await sql`update nowboard.sessions set expires_at = now() - interval '1 s' where hash = ${expired.hash}`;
	await sql`delete from nowboard.sessions where hash = ${loggedOut.hash}`;
	await sql`update nowboard.share_links set expires_at = now() - interval '1 s' where id = ${expiredLink.id}`;
	await sql`update nowboard.share_links set revoked_at = now() where id = ${revokedLink.id}`;
	await sql`update nowboard.ingest_keys set revoked_at = now() where id = ${revoked.id}`;
	await expect
		.poll(() => Promise.all(ending.map(look)), { timeout: ENDED_MS, interval: 250 })
		.toEqual([401, 401, 401, 401]);
	await expect.poll(() => write(revoked.key), { timeout: ENDED_MS, interval: 1_000 }).toBe(401);

	return {
		origin,
		canary,
		session: session.token,
		link: link.token,
		ended: {
			expiredSession: expired.token,
			loggedOut: loggedOut.token,
			expiredLink: expiredLink.token,
			revokedLink: revokedLink.token,
		},
		sessionHash: session.hash,
		tokens: {
			good: await issue(own, session.token),
			expired: await issue(
				createTokens(async () => SECRET, { now: () => Date.now() - 3_600_000 }),
				session.token,
			),
			otherSecret: await issue(
				createTokens(async () => `${SECRET}.`),
				session.token,
			),
			otherScope: await issue(
				createTokens(async () => SECRET, { scope: 'write' }),
				session.token,
			),
			// what a reader of the database would make: it has the hash, and here even the secret
			ofHash: await issue(own, session.hash),
			ofLoggedOut: await issue(own, loggedOut.token),
		},
		keys: { shop: shop.key, page: page.key, revoked: revoked.key },
		ids: { link: link.id, key: shop.id },
	};
}

/** Everything that an attempt could change, as text. Times of last use are no change that anybody minds. */
export async function readTables(sql: Sql): Promise<string> {
	const [row] = await sql<{ all: string }[]>`
		select concat_ws(E'\n',
			(select concat('events ', count(*)) from nowboard.events),
			(select concat('sessions ', string_agg(hash, ' ' order by hash)) from nowboard.sessions),
			(select concat('links ', string_agg(concat(id, ' ', revoked_at), ', ' order by id)) from nowboard.share_links),
			(select concat('keys ', string_agg(concat(id, ' ', revoked_at), ', ' order by id)) from nowboard.ingest_keys),
			(select concat('audit ', count(*)) from nowboard.audit)) as all`;
	return row?.all ?? '';
}
