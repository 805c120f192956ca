/**
 * What a JSON value must keep to so that Postgres can store it as jsonb and a reader can show it: text without NUL and lone
 * surrogates (jsonb refuses both), depth, keys, bytes. Pure, and never throws. Note that jsonb writes numbers out: `1e308` is
 * 5 bytes of JSON and 309 stored. A few hundred bytes can break the table's CHECK, and with it the INSERT that others share.
 */
import { ExactNumber, stringifyExact } from './exact-json';

/** Says what is wrong and where. The collector shortens `value`. */
export type Report = (path: string, value: unknown, rule: string) => void;

/** The table's CHECK on `properties::text`, in bytes (drizzle/0001_triggers.sql). */
export const STORED_BYTES = 16 * 1024;
/** A key in a path is cut here: the path is for reading. */
const PATH_KEY_LENGTH = 60;

/** Why Postgres cannot store this text, or null. */
export function textFault(text: string): string | null {
	if (text.includes('\0')) return 'must not contain NUL (\\u0000), which Postgres cannot store';
	if (!text.isWellFormed())
		return 'must not contain a lone surrogate (\\ud800 to \\udfff without its other half)';
	return null;
}

/** A plain object, as JSON.parse makes them; not a Date, a Map or a class. */
export function isObject(value: unknown): value is Record<string, unknown> {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}

/** `path.key`, or `path["the key"]` where it is no identifier. */
export function member(path: string, key: string): string {
	const short = key.length > PATH_KEY_LENGTH ? `${key.slice(0, PATH_KEY_LENGTH)}…` : key;
	if (!/^[A-Za-z_$][\w$]*$/.test(short)) return `${path}[${JSON.stringify(short)}]`;
	return path === '' ? short : `${path}.${short}`;
}

/**
 * Reports every breach of the limits in `root`, an object.
 * @param limits `bytes` of the JSON text in UTF-8, `keys` in any one object, `depth` of nesting with `root` as 1, `values` in all: there it stops to look
 */
export function checkJson(
	root: Record<string, unknown>,
	path: string,
	limits: { bytes: number; keys: number; depth: number; values: number },
	report: Report,
): void {
	/** what jsonb's text adds to JSON's: a blank after every comma and colon, and numbers written out */
	let added = 0;
	let sound = true;
	/** within `root` */
	let values = -1;
	const fail: Report = (...breach) => {
		sound = false;
		report(...breach);
	};

	function visit(value: unknown, path: string, depth: number): void {
		if (++values > limits.values) return;
		if (typeof value === 'string') {
			const fault = textFault(value);
			if (fault) fail(path, value, fault);
		} else if (typeof value === 'number') {
			if (!Number.isFinite(value)) fail(path, value, 'must be a finite number');
			else added += writtenOut(String(value));
		} else if (value instanceof ExactNumber) {
			added += writtenOut(value.digits);
		} else if (Array.isArray(value) || isObject(value)) {
			if (depth > limits.depth) fail(path, value, `must be nested at most ${limits.depth} deep`);
			else if (Array.isArray(value)) visitItems(value, path, depth);
			else visitMembers(value, path, depth);
		} else if (value !== null && typeof value !== 'boolean') {
			fail(path, value, 'must be JSON: text, number, true, false, null, array or object');
		}
	}
	function visitItems(items: unknown[], path: string, depth: number) {
		added += items.length;
		// not forEach: it skips holes
		for (let i = 0; i < items.length && values <= limits.values; i++)
			visit(items[i], `${path}[${i}]`, depth + 1);
	}
	function visitMembers(object: Record<string, unknown>, path: string, depth: number) {
		const entries = Object.entries(object);
		added += 2 * entries.length;
		if (entries.length > limits.keys)
			fail(path, `${entries.length} keys`, `must have at most ${limits.keys} keys in one object`);
		for (const [key, value] of entries) {
			if (values > limits.values) return;
			const fault = textFault(key);
			if (fault) fail(member(path, key), key, `the key ${fault}`);
			visit(value, member(path, key), depth + 1);
		}
	}

	visit(root, path, 1);
	if (values > limits.values)
		fail(path, root, `must have at most ${limits.values} values, at all depths together`);
	// only a sound value is certain to be text: a cycle is not
	if (!sound) return;
	const bytes = Buffer.byteLength(stringifyExact(root));
	if (bytes > limits.bytes)
		report(path, `${bytes} bytes`, `must be at most ${limits.bytes} bytes as JSON`);
	else if (bytes + added > STORED_BYTES)
		report(
			path,
			`up to ${bytes + added} bytes`,
			`must be at most ${STORED_BYTES} bytes with its numbers written out`,
		);
}

/** Bytes that `numeric` needs beyond JSON's text: it has no exponent. At most a few too many. */
function writtenOut(digits: string): number {
	const exponent = /e([+-]?\d+)$/i.exec(digits)?.[1];
	return exponent ? Math.abs(Number(exponent)) + 2 : 0;
}
