/** What a URL may not hold, and how that is said. What it may hold is tests/database/url.test.ts, on a real server. */
import { expect, test } from 'vitest';
import { parseUrl } from './database-url';

const faultOf = (url: string) => {
	const parsed = parseUrl(url);
	return parsed.ok ? null : parsed.fault;
};

test.each([
	['hunter2', 'is no URL: it must be a postgres:// URL.'],
	['mysql://me:hunter2@h/db', 'begins with "mysql://": it must be a postgres:// URL.'],
	[
		'postgres://me:hunter2#@h/db',
		'has a "#" or a space in it: in a password they must be written %23 and %20.',
	],
	[
		'postgres://me:hunter2 @h/db',
		'has a "#" or a space in it: in a password they must be written %23 and %20.',
	],
	[
		'postgres://me:hunter2%@h/db',
		'has a "%" in its password that two hexadecimal digits do not follow: it must be written %25.',
	],
	[
		'postgres://me%zz:hunter2@h/db',
		'has a "%" in its user that two hexadecimal digits do not follow: it must be written %25.',
	],
	[
		'postgres://me:hunter2@h/100%',
		'has a "%" in its database name that two hexadecimal digits do not follow: it must be written %25.',
	],
	[
		'postgres://me:hunter2@h%/db',
		'has a "%" in its host that two hexadecimal digits do not follow: it must be written %25.',
	],
	[
		'postgres://h/db?password=hunter2%4',
		'has a "%" in its parameter "password" that two hexadecimal digits do not follow: it must be written %25.',
	],
	[
		'postgres://me:hunter2%ff@h/db',
		'has a percent-encoding in its password that is no UTF-8 text.',
	],
	[
		'postgres://me:hunter2%00@h/db',
		'has a percent-encoding in its password that is no UTF-8 text.',
	],
	[
		'postgres://me:hunter2@::1:5432/db',
		'has a host that cannot be read: an IPv6 address needs brackets, as in @[::1]:5432.',
	],
	[
		'postgres://me:hunter2@[::1/db',
		'has a host that cannot be read: an IPv6 address needs brackets, as in @[::1]:5432.',
	],
	['postgres://me:hunter2@h:x/db', 'has a port that is no whole number from 1 to 65535.'],
	['postgres://me:hunter2@h:0/db', 'has a port that is no whole number from 1 to 65535.'],
	['postgres://me:hunter2@h:65536/db', 'has a port that is no whole number from 1 to 65535.'],
	[
		'postgres://me:hunter2@a,b,c/db?port=1,2',
		'has 3 hosts and 2 ports: give one port, or one for each host.',
	],
	[
		'postgres://me:hunter2@%2Frun,h/db',
		'has a Unix socket beside other hosts: several hosts must all be names.',
	],
	[
		'postgres://me:hunter2@h/db?sslmode=on',
		'has sslmode "on": it must be one of disable, allow, prefer, require, verify-ca, verify-full.',
	],
	[
		'postgres://me:hunter2@h/db?target_session_attrs=leader',
		'has target_session_attrs "leader": it must be one of any, read-write, read-only, primary, standby, prefer-standby.',
	],
	[
		'postgres://me:hunter2@h/db?connect_timeout=never',
		'has a connect_timeout that is no whole number from 1 to 3600.',
	],
])('%s', (url, fault) => {
	expect(faultOf(url)).toBe(fault);
	expect(fault).not.toContain('hunter2');
});

test('parameters of other programs are named, not handed to Postgres', () => {
	const parsed = parseUrl('postgres://h/db?pgbouncer=true&SSLMODE=require&TimeZone=UTC&schema=x');
	expect(parsed).toMatchObject({
		address: {
			ignored: ['pgbouncer', 'schema'],
			settings: { timezone: 'UTC' },
			tls: { mode: 'require' },
		},
	});
});

test('what the URL leaves out is left to PGHOST, PGUSER and so on', () => {
	expect(parseUrl('postgres://')).toMatchObject({
		address: { hosts: [], socket: null, user: null, password: null, database: null, tls: null },
	});
});
