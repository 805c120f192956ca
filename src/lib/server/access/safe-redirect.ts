/**
 * Where to go after the login. The text comes from an address that anybody can write: it may name a path of ours and nothing
 * else. Browsers read `//host`, `/\host` and paths with tabs or line ends as other hosts.
 */
export function toPath(text: string | null): string {
	return text !== null && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text) ? text : '/';
}
