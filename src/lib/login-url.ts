import { resolve } from '$app/paths';

/** The login, which then leads back to this page. `to` is a path of ours, without the one that a proxy serves us below. */
export function toLoginUrl({ pathname, search } = location): string {
	const home = resolve('/');
	const path = pathname.startsWith(home) ? pathname.slice(home.length - 1) : '/';
	return `${resolve('/login')}?to=${encodeURIComponent(path + search)}`;
}
