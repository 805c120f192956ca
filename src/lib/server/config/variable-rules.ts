/**
 * Rules for the values of environment variables. A rule never sees an empty value: that is an unset variable.
 * A fault follows the variable's name in a message, and shows no secret.
 */
import { isIP } from 'node:net';
import { parseUrl } from './database-url';
import { readCertificates } from './database-tls';
import { UrlFault } from './url-fault';

export type Parsed<T> = { ok: true; value: T } | { ok: false; fault: string };
export type Rule<T> = (text: string) => Parsed<T>;

const is = <T>(value: T): Parsed<T> => ({ ok: true, value });
const isNot = (text: string, rule: string): Parsed<never> => ({
	ok: false,
	fault: `is "${text}": it must be ${rule}.`,
});
const holds = (pattern: RegExp, rule: string): Rule<string> => {
	return (text) => (pattern.test(text) ? is(text) : isNot(text, rule));
};

export const text: Rule<string> = is;

/** "true" or "1", "false" or "0". */
export const flag: Rule<boolean> = (text) =>
	['true', '1', 'false', '0'].includes(text)
		? is(text === 'true' || text === '1')
		: isNot(text, '"true" or "false"');

/** One of the given words, as it is written. */
export const oneOf =
	<T extends string>(names: readonly T[]): Rule<T> =>
	(text) => {
		const name = names.find((one) => one === text);
		return name === undefined ? isNot(text, `one of ${names.join(', ')}`) : is(name);
	};

/** A whole number; both bounds are allowed. */
export const whole =
	(min: number, max = Number.MAX_SAFE_INTEGER): Rule<number> =>
	(text) => {
		const value = /^\d{1,16}$/.test(text) ? Number(text) : -1;
		if (value >= min && value <= max) return is(value);
		const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
		return isNot(text, `a whole number ${bounds}`);
	};

/** A secret, of which only the length is shown. @param hint how to make one */
export const secret =
	(minLength: number, hint = ''): Rule<string> =>
	(text) =>
		text.length >= minLength
			? is(text)
			: {
					ok: false,
					fault: `has ${text.length} characters: it must have at least ${minLength}${hint}.`,
				};

/** It may hold a password, so a fault names the part and does not repeat it. */
export const postgresUrl: Rule<string> = (text) => {
	const parsed = parseUrl(text);
	if (!parsed.ok) return parsed;
	try {
		if (parsed.address.tls) readCertificates(parsed.address.tls);
		return is(text);
	} catch (error) {
		if (error instanceof UrlFault) return { ok: false, fault: error.message };
		throw error;
	}
};

/** An origin, and below a path of it that path: plain names, since it becomes the `Path` of a cookie. No slash at the end. */
export const publicUrl: Rule<string> = (text) => {
	const rule = 'like https://now.example.com, or https://example.com/now below a path';
	if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return isNot(text, rule);
	const { origin, pathname, href } = new URL(text);
	const isPlain = /^\/(?:[\w.~-]+\/)*[\w.~-]*$/.test(pathname);
	return isPlain && href === origin + pathname ? is(href.replace(/\/$/, '')) : isNot(text, rule);
};

/** Of Redis or Valkey. It may hold a password, so a fault does not repeat it. */
export const relayUrl: Rule<string> = (text) => {
	const fault =
		'must be redis://user:password@host:6379/0, or rediss:// for TLS; user, password and the number of the database may be left out.';
	if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return { ok: false, fault };
	const { hostname, pathname, search } = new URL(text);
	const isPlain = hostname !== '' && /^\/?\d{0,5}$/.test(pathname) && search === '';
	return isPlain ? is(text) : { ok: false, fault };
};

export const host = holds(/^[\w.:%-]+$/, 'a name or an address, without a port');
/** Short enough for what is made of it. A schema that begins with pg_ belongs to Postgres. */
export const schemaName = holds(
	/^(?!pg_)[a-z_][a-z0-9_]{0,47}$/,
	'the name of a schema: at most 48 lower-case letters, digits and underscores, not beginning with a digit or pg_',
);
const list = (text: string) => text.split(/[,\s]+/).filter((one) => one !== '');

/** Single addresses and ranges, such as 192.0.2.0/24, 2001:db8::/32. */
export const addressRanges: Rule<string[]> = (text) => {
	const fault = list(text).find((one) => {
		const [address = '', prefix, ...more] = one.split('/');
		const family = isIP(address);
		const bits = family === 6 ? 128 : 32;
		const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
		return family === 0 || !isPrefix || more.length > 0;
	});
	return fault === undefined
		? is(list(text))
		: isNot(fault, 'an address or a range in CIDR notation, such as 192.0.2.0/24 or 2001:db8::/32');
};

/** Host names without scheme and port; `*.` in front stands for every name below. */
export const hostNames: Rule<string[]> = (text) => {
	const names = list(text.toLowerCase()).map((name) => name.replace(/^www\./, ''));
	const fault = names.find((name) => !/^(\*\.)?[\p{L}\d_.-]+$|^\[[\da-f:.]+\]$/u.test(name));
	return fault === undefined
		? is(names)
		: isNot(fault, 'the name of a host, such as localhost, staging.example.com or *.example.com');
};

/** Words between commas, without the spaces around them and without empty ones. */
export const names: Rule<string[]> = (text) =>
	is(
		text
			.split(',')
			.map((one) => one.trim())
			.filter((one) => one !== ''),
	);

export const headerName = holds(/^[A-Za-z0-9-]+$/, 'the name of a header');
export const bytes = holds(
	/^(\d+[KMG]?|Infinity)$/i,
	'a number of bytes, which may end with K, M or G, or "Infinity"',
);
