/**
 * Structural checks of what a server sent, light enough for every frame. A check has the type of what passes it, so one
 * that leaves out a field does not compile. Why not a schema library: docs/decisions/0024-valibot.md.
 */

export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };
export type Parse<T> = (data: unknown) => Parsed<T>;

/** Null when the value is a `T`, else the path, the value and the rule. */
export type Check<T> = {
	(value: unknown, path: string): string | null;
	/** never there: it makes checks of different types different */
	readonly passes?: T;
};
/** A check for each field of `T`, also for optional ones. */
export type Fields<T> = { [Name in keyof T]-?: Check<T[Name]> };

const refuse = (path: string, value: unknown, rule: string): string =>
	`${path || 'payload'} is ${toShort(value)}, not ${rule}`;
const toShort = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 60);

export const number: Check<number> = (value, path) =>
	Number.isFinite(value) ? null : refuse(path, value, 'a number');
export const text: Check<string> = (value, path) =>
	typeof value === 'string' ? null : refuse(path, value, 'a text');
export const time: Check<string> = (value, path) =>
	typeof value === 'string' && !Number.isNaN(Date.parse(value))
		? null
		: refuse(path, value, 'an ISO 8601 time');
export const boolean: Check<boolean> = (value, path) =>
	typeof value === 'boolean' ? null : refuse(path, value, 'true or false');
export const oneOf =
	<T extends string>(...values: T[]): Check<T> =>
	(value, path) =>
		values.includes(value as T) ? null : refuse(path, value, `one of ${values.join(', ')}`);
export const nullable =
	<T>(check: Check<T>): Check<T | null> =>
	(value, path) =>
		value === null ? null : check(value, path);
export const optional =
	<T>(check: Check<T>): Check<T | undefined> =>
	(value, path) =>
		value === undefined ? null : check(value, path);

/** Fields beyond those named are let pass. */
export function object<T>(fields: Fields<T>): Check<T> {
	const entries = Object.entries<Check<unknown>>(fields);
	return (value, path) => {
		if (typeof value !== 'object' || value === null || Array.isArray(value))
			return refuse(path, value, 'an object');
		for (const [name, check] of entries) {
			const reason = check((value as { [name: string]: unknown })[name], `${path}.${name}`);
			if (reason) return reason;
		}
		return null;
	};
}

/** Every item must pass. */
export function list<T>(item: Check<T>): Check<T[]> {
	return (value, path) => {
		if (!Array.isArray(value)) return refuse(path, value, 'a list');
		for (const [i, entry] of value.entries()) {
			const reason = item(entry, `${path}[${i}]`);
			if (reason) return reason;
		}
		return null;
	};
}

/** Every value by whatever name. */
export function record<T>(value: Check<T>): Check<{ [name: string]: T }> {
	const fields = object({});
	return (data, path) => {
		const reason = fields(data, path);
		if (reason) return reason;
		for (const [name, entry] of Object.entries(data as { [name: string]: unknown })) {
			const fault = value(entry, `${path}.${name}`);
			if (fault) return fault;
		}
		return null;
	};
}

/** The one place that believes a check: what passed it has the type. */
export const parse =
	<T>(check: Check<T>): Parse<T> =>
	(data) => {
		const reason = check(data, '');
		return reason === null ? { ok: true, value: data as T } : { ok: false, reason };
	};

/** JSON text to a payload; a text that is no JSON is a reason like any other. */
export function parseText<T>(text: string, parser: Parse<T>): Parsed<T> {
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch {
		return { ok: false, reason: `${toShort(text)} is not JSON` };
	}
	return parser(data);
}
