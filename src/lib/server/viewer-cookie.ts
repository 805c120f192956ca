/** The cookie that holds a viewer's token, and how it is set: not to be read by scripts, nor sent along from other sites. */
import type { Cookies } from '@sveltejs/kit';
import { SESSION_MS } from './viewers';

export const VIEWER_COOKIE = 'nowboard_viewer';

const options = (isSecure: boolean) =>
	({ path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure }) as const;

/** A browser forgets it after a month without a visit, as we forget the session. */
export function setViewerCookie(cookies: Cookies, token: string, isSecure: boolean): void {
	cookies.set(VIEWER_COOKIE, token, { ...options(isSecure), maxAge: SESSION_MS / 1_000 });
}

export function clearViewerCookie(cookies: Cookies, isSecure: boolean): void {
	cookies.delete(VIEWER_COOKIE, options(isSecure));
}
