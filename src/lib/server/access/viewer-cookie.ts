/**
 * The cookie with a viewer's token: not readable by scripts, not sent from other sites. It must be set
 * again on every visit, or the browser drops it a month after the login instead of the last visit.
 */
import type { Cookies } from '@sveltejs/kit';
import { SESSION_MS, type Viewer } from './viewer-rows';

export const VIEWER_COOKIE = 'nowboard_viewer';

/** How the browser reaches us. */
export type Site = { isSecure: boolean; basePath: string };

const options = ({ isSecure, basePath }: Site) =>
	({ path: basePath || '/', httpOnly: true, sameSite: 'lax', secure: isSecure }) as const;

/** Where the cookie of a request belongs. */
export const toSite = (url: URL, { basePath }: { basePath: string }): Site => ({
	isSecure: url.protocol === 'https:',
	basePath,
});

/** @param expiresAt of the viewer, ms since 1970: a browser keeps it no longer; null: it does not expire */
export function setViewerCookie(
	cookies: Cookies,
	token: string,
	expiresAt: number | null,
	site: Site,
): void {
	const lastsMs = Math.min(SESSION_MS, (expiresAt ?? Infinity) - Date.now());
	const maxAge = Math.floor(lastsMs / 1_000);
	if (maxAge > 0) cookies.set(VIEWER_COOKIE, token, { ...options(site), maxAge });
}

/**
 * Extends the cookie of an authenticated viewer. The token stays the same, so it opens nothing if the
 * viewer was ended meanwhile. No-op without a viewer, or when authenticated by a URL token.
 */
export function renewViewerCookie(
	cookies: Cookies,
	{ viewer, tokenEndsAt }: { viewer: Viewer | null; tokenEndsAt: number | null },
	site: Site,
): void {
	const own = cookies.get(VIEWER_COOKIE);
	if (viewer && tokenEndsAt === null && own !== undefined)
		setViewerCookie(cookies, own, viewer.expiresAt, site);
}

/** Needs the same site that it was set with. */
export function clearViewerCookie(cookies: Cookies, site: Site): void {
	cookies.delete(VIEWER_COOKIE, options(site));
}
