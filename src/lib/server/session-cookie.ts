/** The cookie that holds a session's token, and how it is set: not to be read by scripts, nor sent along from other sites. */
import type { Cookies } from '@sveltejs/kit';
import { SESSION_MS } from './sessions';

export const SESSION_COOKIE = 'nowboard_session';

const options = (isSecure: boolean) =>
	({ path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure }) as const;

export function setSessionCookie(cookies: Cookies, token: string, isSecure: boolean): void {
	cookies.set(SESSION_COOKIE, token, { ...options(isSecure), maxAge: SESSION_MS / 1_000 });
}

export function clearSessionCookie(cookies: Cookies, isSecure: boolean): void {
	cookies.delete(SESSION_COOKIE, options(isSecure));
}
