/** Finds out who sends a request: the viewer by cookie or URL token, and the holder of the metrics token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { error, type Cookies } from '@sveltejs/kit';
import type { Login } from './login';
import { asksWho, TOKEN_ROUTES } from './policy';
import { VIEWER_COOKIE } from './viewer-cookie';
import type { Viewer } from './viewer-rows';

type Asking = { route: { id: string | null }; url: URL; cookies: Cookies };
export type Found = { viewer: Viewer | null; tokenEndsAt: number | null };
const NONE: Found = { viewer: null, tokenEndsAt: null };

/**
 * Queries the database only for routes whose response depends on the viewer.
 * @param login null: there is no password
 * @throws 503 when the database does not answer
 */
export async function findViewer(
	{ route, url, cookies }: Asking,
	login: Pick<Login, 'viewers' | 'tokens'> | null,
	dashboardPublic: boolean,
): Promise<Found> {
	if (!login || !asksWho(route.id, dashboardPublic)) return NONE;
	const cookie = cookies.get(VIEWER_COOKIE);
	const token = TOKEN_ROUTES.includes(route.id ?? '') ? url.searchParams.get('token') : null;
	try {
		if (token === null)
			return cookie ? { viewer: await login.viewers.find(cookie), tokenEndsAt: null } : NONE;
		const read = await login.tokens.read(token);
		if (!read) return NONE;
		return { viewer: await login.viewers.find(read.own), tokenEndsAt: read.expiresAt };
	} catch {
		error(503, 'Cannot check your login right now: the database is not responding.');
	}
}

/**
 * Whether `Authorization: Bearer` holds the token. Compares hashes, so that the time it takes tells nothing about it.
 * @param token null: there is none
 */
export function hasToken(headers: Headers, token: string | null): boolean {
	const given = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1];
	if (token === null || given === undefined) return false;
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(given), digest(token));
}
