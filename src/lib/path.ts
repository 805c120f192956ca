/**
 * One spelling for each page. Pure; imports nothing: the server reads every path with it, however the event came, and
 * the page shows addresses with it. The result is text to read, not an address to open: `%C3%BC` becomes `ü`.
 */

/** The UTF-8 bytes of one character, a byte that belongs to none, or a `%` that begins no code. */
const ENCODED =
	/%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}|%[\da-f]{2}|%/gi;
/** These stay encoded, because decoded they would mean something else. */
const PATH_DELIMITERS = '%/?#\\';
const QUERY_DELIMITERS = '%#&=+';
/** These are always encoded, because they cannot be seen. U+200C, U+200D and U+FE0F are part of words and emoji. */
const INVISIBLE =
	/(?![\u200c\u200d]|\ufe0f)[\p{Cc}\p{Z}\p{Default_Ignorable_Code_Point}\ufff9-\uffff]/gu;
/** Most paths: nothing to decode, to encode or to leave out. */
const PLAIN = /^\/(?:[\w~!$&'()*+,;=:@.-]+(?:\/[\w~!$&'()*+,;=:@.-]+)*)?$/;
const INDEX = /\/index\.html?$/i;
/** Scheme and host if there are any, path, query, hash. */
const PARTS = /^([a-z][a-z\d+.-]*:\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?$/is;

/**
 * The one spelling of a path, with the query and hash that its sender kept: `/a/` and `/a/index.html` are `/a`.
 * Its own result stays as it is; pages that differ in more than spelling never become the same.
 * @param keepSlash `/a/` and `/a` are two pages
 */
export function toPath(text: string, keepSlash = false): string {
	if (PLAIN.test(text) && !INDEX.test(text)) return text;
	const [, origin = '', path = '', query = '', hash = ''] = PARTS.exec(text.trim()) ?? [];
	const isRooted = origin !== '' || path.startsWith('/');
	return [
		origin.toLowerCase(),
		isRooted ? toFolder(toReadable(path), keepSlash) : toReadable(path),
		query.length > 1 ? toReadable(query, QUERY_DELIMITERS) : '',
		/^#!?\//.test(hash)
			? toFolder(toReadable(hash), keepSlash)
			: hash.length > 1
				? toReadable(hash)
				: '',
	].join('');
}

/** Without the index file and, unless it is kept, the slash at the end. The root keeps its slash. */
function toFolder(path: string, keepSlash: boolean): string {
	const folder = path.replace(INDEX, '/');
	const kept = keepSlash ? folder : folder.replace(/\/+$/, '');
	return /^(?:#!?)?$/.test(kept) ? `${kept}/` : kept;
}

/** Decodes what can be read, encodes what cannot be seen. */
export function toReadable(text: string, delimiters = PATH_DELIMITERS): string {
	return text
		.replace(ENCODED, (code) => {
			if (code === '%') return '%25';
			const decoded = decode(code);
			return decoded === null || delimiters.includes(decoded) ? code.toUpperCase() : decoded;
		})
		.replace(INVISIBLE, encodeURIComponent)
		.replace(/%[\dA-F]{2}|[^%]+/g, (part) => (part.startsWith('%') ? part : part.normalize('NFC')));
}

/** The properties that hold addresses, to be shown. */
const ADDRESSES = ['path', 'url', 'referrer'];

/** The properties of an event with their addresses decoded, in the same order. */
export function toReadableProperties<Value>(properties: { [key: string]: Value }): {
	[key: string]: Value | string;
} {
	return Object.fromEntries(
		Object.entries(properties).map(([key, value]) => [
			key,
			typeof value === 'string' && ADDRESSES.includes(key) ? toReadable(value) : value,
		]),
	);
}

const graphemes = new Intl.Segmenter();

/** At most `max` UTF-16 units, cut between characters as people count them and never inside `%E3%81%82`. */
export function cut(text: string, max: number): string {
	if (text.length <= max) return text;
	const end = graphemes.segment(text).containing(max)?.index ?? max;
	return text.slice(0, end).replace(/(?:%[c-f][\da-f](?:%[89ab][\da-f])*)?(?:%[\da-f]?)?$/i, '');
}

function decode(code: string): string | null {
	try {
		return decodeURIComponent(code);
	} catch {
		// not UTF-8: an old site's Latin-1, or part of a character
		return null;
	}
}
