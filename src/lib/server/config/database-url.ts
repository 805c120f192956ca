/**
 * Reads a postgres:// URL as libpq does: percent-encoded parts, several hosts, IPv6, Unix sockets, parameters. Pure.
 * Not WHATWG's URL, which refuses several hosts; a fault never repeats what may be a password.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
import { toTls, type Tls } from './database-tls';
import { UrlFault } from './url-fault';

/** null, and no hosts: the URL does not say; postgres.js then reads PGHOST, PGUSER and so on. */
export type DatabaseAddress = {
	hosts: { name: string; port: number | null }[];
	/** the file of a Unix socket, instead of hosts */
	socket: string | null;
	user: string | null;
	password: string | null;
	database: string | null;
	tls: Tls | null;
	connectTimeoutS: number | null;
	targetSession: TargetSession | null;
	/** settings that the server is asked for when a session starts, by name */
	settings: Record<string, string>;
	/** parameters that mean something to other programs only */
	ignored: string[];
};

export type ParsedUrl =
	| { ok: true; address: DatabaseAddress }
	/** @see parseUrl: what stands behind the variable's name in a message */
	| { ok: false; fault: string };

const TARGETS = ['read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type TargetSession = (typeof TARGETS)[number];

/** Settings that may stand in the URL itself. A transaction pooler refuses the connection for most of them. */
const SETTINGS = [
	'application_name',
	'options',
	'search_path',
	'statement_timeout',
	'lock_timeout',
	'timezone',
];
const DEFAULT_PORT = 5432;

/** A fault is a sentence without its subject: `DATABASE_URL ${fault}`. */
export function parseUrl(url: string): ParsedUrl {
	try {
		return { ok: true, address: parse(url) };
	} catch (error) {
		if (error instanceof UrlFault) return { ok: false, fault: error.message };
		throw error;
	}
}

/** Parameters of these URLs that are ignored: they belong to other programs mostly, but one may be misspelt. */
export function findIgnored(...urls: string[]): string[] {
	const names = urls.flatMap((url) => {
		const parsed = parseUrl(url);
		return parsed.ok ? parsed.address.ignored : [];
	});
	return [...new Set(names)];
}

function parse(url: string): DatabaseAddress {
	const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0];
	if (!scheme || !/^postgres(ql)?:\/\//.test(url))
		throw new UrlFault(
			`${scheme ? `begins with "${scheme}"` : 'is no URL'}: it must be a postgres:// URL.`,
		);
	if (/[#\s]/.test(url))
		throw new UrlFault(
			'has a "#" or a space in it: in a password they must be written %23 and %20.',
		);
	const [, authority = '', path = '', query = ''] =
		/^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url.slice(scheme.length)) ?? [];
	const at = authority.lastIndexOf('@');
	const [user = '', password] = split(authority.slice(0, Math.max(at, 0)), ':');
	const parameters = readParameters(query);
	const take = (name: string) => {
		const value = parameters.get(name);
		parameters.delete(name);
		return value || null;
	};

	const address: DatabaseAddress = {
		...toPlace(toHosts(decodeHosts(authority.slice(at + 1)), take('host'), take('port'))),
		user: take('user') ?? (decode(user, 'user') || null),
		password: take('password') ?? (decode(password ?? '', 'password') || null),
		database: take('dbname') ?? (decode(path, 'database name') || null),
		tls: toTls(take),
		connectTimeoutS: toNumber('connect_timeout', take('connect_timeout'), 3_600),
		targetSession: toTarget(take('target_session_attrs')),
		settings: {},
		ignored: [],
	};
	for (const [name, value] of parameters) {
		if (SETTINGS.includes(name)) address.settings[name] = value;
		else address.ignored.push(name);
	}
	return address;
}

/** Names in lower case, as in libpq; people write `TimeZone`. The last of two equal names counts. */
function readParameters(query: string): Map<string, string> {
	const parts = query.split('&').filter(Boolean);
	return new Map(
		parts.map((part) => {
			const [name, value = ''] = split(part, '=');
			const known = decode(name, 'parameters').toLowerCase();
			return [known, decode(value, `parameter "${known}"`)];
		}),
	);
}

type Host = { name: string; port: string };

/** Split before it is decoded: the name of a socket's folder may hold any character. */
function decodeHosts(text: string): Host[] {
	if (text === '') return [];
	return text.split(',').map((one) => {
		const [, v6, name = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(one) ?? [];
		if (port.includes(':'))
			throw new UrlFault(
				'has a host that cannot be read: an IPv6 address needs brackets, as in @[::1]:5432.',
			);
		return { name: v6 ?? decode(name, 'host'), port };
	});
}

/** `?host=` and `?port=` win. One port is that of every host; several are one for each. */
function toHosts(written: Host[], names: string | null, ports: string | null): Host[] {
	const hosts = names?.split(',') ?? written.map(({ name }) => name);
	const each = ports?.split(',') ?? written.map(({ port }) => port);
	if (each.length > 1 && each.length !== hosts.length)
		throw new UrlFault(
			`has ${hosts.length} hosts and ${each.length} ports: give one port, or one for each host.`,
		);
	if (hosts.length === 0 && ports !== null) hosts.push('');
	return hosts.map((name, index) => ({
		name: name.replace(/^\[(.*)\]$/, '$1'),
		port: each[each.length > 1 ? index : 0] ?? '',
	}));
}

function toPlace(hosts: Host[]): Pick<DatabaseAddress, 'hosts' | 'socket'> {
	const read = hosts.map(({ name, port }) => ({
		name: name || 'localhost',
		port: toNumber('port', port || null, 65_535),
	}));
	const folder = read.find(({ name }) => name.startsWith('/'));
	if (!folder) return { hosts: read, socket: null };
	if (read.length > 1)
		throw new UrlFault('has a Unix socket beside other hosts: several hosts must all be names.');
	const { name, port } = folder;
	const file = `.s.PGSQL.${port ?? DEFAULT_PORT}`;
	return {
		hosts: [],
		socket: /\.s\.PGSQL\.\d+$/.test(name) ? name : `${name.replace(/\/+$/, '')}/${file}`,
	};
}

function toTarget(text: string | null): TargetSession | null {
	if (text === null || text === 'any') return null;
	const target = TARGETS.find((one) => one === text);
	if (!target)
		throw new UrlFault(
			`has target_session_attrs "${text}": it must be one of any, ${TARGETS.join(', ')}.`,
		);
	return target;
}

function toNumber(name: string, text: string | null, max: number): number | null {
	if (text === null) return null;
	const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
	if (value >= 1 && value <= max) return value;
	throw new UrlFault(`has a ${name} that is no whole number from 1 to ${max}.`);
}

function decode(text: string, part: string): string {
	if (/%(?![0-9a-f]{2})/i.test(text))
		throw new UrlFault(
			`has a "%" in its ${part} that two hexadecimal digits do not follow: it must be written %25.`,
		);
	try {
		const decoded = decodeURIComponent(text);
		if (!decoded.includes('\0')) return decoded;
	} catch {
		// bytes that are no UTF-8
	}
	throw new UrlFault(`has a percent-encoding in its ${part} that is no UTF-8 text.`);
}

/** At the first `by`; without one there is no second part. */
function split(text: string, by: string): [string, string?] {
	const at = text.indexOf(by);
	return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
