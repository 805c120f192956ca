/** Every part of DATABASE_URL in its odd spellings, against a real server with TLS and a Unix socket. */
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { findAccount } from '../../scripts/postgres/account';
import { startPostgres, type RunningPostgres } from '../../scripts/postgres/embedded';
import { freePort } from '../../scripts/process/ports';
import { connect } from '../../src/lib/server/db/connect';
import { makeSelfSigned } from '../setup/self-signed';
import { makeTemporaryFolder } from '../setup/server';

const DATABASES = ['plain', 'a/b', 'a b', 'é#%?', 'you@home:1'];
const USER = 'me@corp:x/y';
const PASSWORD = 'p%40 :/?#@ß&=+';
const [USER_PART, PASSWORD_PART] = [USER, PASSWORD].map(encodeURIComponent);
const AS = `${USER_PART}:${PASSWORD_PART}`;

const folder = makeTemporaryFolder();
const [socketFolder, caFile] = [join(folder, 'sockets'), join(folder, 'ca.pem')];
let server: RunningPostgres;
let port = 0;
/** a port on which nothing listens */
let closed = 0;

beforeAll(async () => {
	const { uid, gid } = findAccount();
	const own = (path: string) => {
		if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
	};
	const { certificate, key } = makeSelfSigned(['localhost', '127.0.0.1']);
	const keyFile = join(folder, 'key.pem');
	mkdirSync(socketFolder);
	writeFileSync(caFile, certificate);
	writeFileSync(keyFile, key);
	chmodSync(keyFile, 0o600);
	for (const path of [socketFolder, caFile, keyFile]) own(path);
	server = await startPostgres({
		dataDir: join(folder, 'data'),
		settings: {
			fsync: 'off',
			listen_addresses: '127.0.0.1,::1',
			unix_socket_directories: socketFolder,
			ssl: 'on',
			ssl_cert_file: caFile,
			ssl_key_file: keyFile,
		},
	});
	port = server.port;
	closed = await freePort();
	const admin = connect(server.url, { max: 1 });
	await admin.unsafe(`create role "${USER}" login password '${PASSWORD}'`);
	for (const name of DATABASES) await admin.unsafe(`create database "${name}"`);
	await admin.end();
});
afterAll(async () => {
	await server.stop('immediate');
	rmSync(folder, { recursive: true });
});

/** What the server says of the connection that a URL leads to. */
async function look(url: string) {
	const sql = connect(url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	const [row] = await sql`
		select current_database() as database, current_user as user,
			inet_server_addr() is null as socket, ssl as tls,
			current_setting('application_name') as application, current_setting('search_path') as path,
			current_setting('statement_timeout') as "statementTimeout"
		from pg_stat_ssl where pid = pg_backend_pid()`;
	return row;
}

const PLAIN = { database: 'plain', user: USER, socket: false, tls: false, application: 'nowboard' };

test.each(DATABASES)('the database "%s"', async (name) => {
	const url = `postgres://${AS}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
	expect(await look(url)).toMatchObject({ ...PLAIN, database: name });
});

const V6 = Object.values(networkInterfaces())
	.flat()
	.some((one) => one?.address === '::1')
	? '::1'
	: '::ffff:127.0.0.1';

test.each<[part: string, toUrl: () => string, expected?: object]>([
	['the other scheme', () => `postgresql://${AS}@localhost:${port}/plain`],
	[
		'an @ that is not encoded',
		() =>
			`postgres://me@corp:x@127.0.0.1/plain?user=${USER_PART}&password=${PASSWORD_PART}&port=${port}`,
	],
	[
		'user and password as parameters',
		() => `postgres://127.0.0.1:${port}/plain?user=${USER_PART}&password=${PASSWORD_PART}`,
	],
	[
		'everything as parameters',
		() =>
			`postgres://?host=127.0.0.1&port=${port}&dbname=plain&user=${USER_PART}&password=${PASSWORD_PART}`,
	],
	['a host in percent-encoding', () => `postgres://${AS}@127%2E0.0.1:${port}/plain`],
	['IPv6', () => `postgres://${AS}@[${V6}]:${port}/plain`],
	['IPv6 as a parameter', () => `postgres://${AS}@/plain?host=${V6}&port=${port}`],
	[
		'a socket as ?host=',
		() => `postgres://${AS}@/plain?host=${socketFolder}&port=${port}`,
		{ socket: true },
	],
	[
		'a socket beside a host, as Cloud SQL writes it',
		() => `postgres://${AS}@localhost:${port}/plain?host=${socketFolder}`,
		{ socket: true },
	],
	[
		'a socket as host',
		() => `postgres://${AS}@${encodeURIComponent(socketFolder)}:${port}/plain`,
		{ socket: true },
	],
	[
		'the file of a socket',
		() => `postgres://${AS}@/plain?host=${encodeURIComponent(`${socketFolder}/.s.PGSQL.${port}`)}`,
		{ socket: true },
	],
	[
		'a socket, with sslmode',
		() => `postgres://${AS}@/plain?host=${socketFolder}&port=${port}&sslmode=require`,
		{ socket: true, tls: false },
	],
	[
		'several hosts, the first of which is away',
		() => `postgres://${AS}@127.0.0.1:${closed},127.0.0.1:${port}/plain`,
	],
	['several hosts with one port', () => `postgres://${AS}@127.0.0.1,localhost/plain?port=${port}`],
	[
		'several hosts, one of them primary',
		() => `postgres://${AS}@127.0.0.1:${port},localhost:${port}/plain?target_session_attrs=primary`,
	],
	[
		'any of several hosts',
		() => `postgres://${AS}@127.0.0.1:${port}/plain?target_session_attrs=any`,
	],
	[
		'options',
		() =>
			`postgres://${AS}@127.0.0.1:${port}/plain?options=-c%20search_path%3Dextra%20-c%20statement_timeout%3D9s`,
		{ path: 'extra', statementTimeout: '9s' },
	],
	[
		'application_name',
		() => `postgres://${AS}@127.0.0.1:${port}/plain?application_name=mine%20%26%20yours`,
		{ application: 'mine & yours' },
	],
	[
		'a setting that the server takes',
		() => `postgres://${AS}@127.0.0.1:${port}/plain?statement_timeout=8s`,
		{ statementTimeout: '8s' },
	],
	['connect_timeout', () => `postgres://${AS}@127.0.0.1:${port}/plain?connect_timeout=5`],
	[
		'parameters of other programs',
		() =>
			`postgres://${AS}@127.0.0.1:${port}/plain?pgbouncer=true&schema=public&channel_binding=prefer&gssencmode=disable&x`,
	],
])('%s', async (_, toUrl, expected = {}) => {
	expect(await look(toUrl())).toMatchObject({ ...PLAIN, ...expected });
});

describe('sslmode', () => {
	/** `$CA` stands for the file of the certificate authority */
	const at = (host: string, query: string) =>
		`postgres://${AS}@${host}:${port}/plain?${query.replace('$CA', encodeURIComponent(caFile))}`;

	test.each([
		['', false],
		['sslmode=disable', false],
		['sslmode=disable&sslrootcert=$CA', false],
		['ssl=false', false],
		['sslmode=allow', true],
		['sslmode=prefer', true],
		['sslmode=require', true],
		['ssl=true', true],
		['sslmode=no-verify', true],
		['sslmode=require&sslrootcert=$CA', true],
		['sslmode=verify-ca&sslrootcert=$CA', true],
		['sslmode=verify-full&sslrootcert=$CA', true],
		['sslrootcert=$CA', true],
	])('"%s"', async (query, tls) => {
		for (const host of ['127.0.0.1', 'localhost'])
			expect(await look(at(host, query))).toMatchObject({ tls });
	});

	test('"prefer" and "allow" go on without TLS where the server has none', async () => {
		for (const mode of ['prefer', 'allow']) {
			const sql = connect(`${inject('adminUrl')}?sslmode=${mode}`, { max: 1 });
			onTestFinished(() => sql.end({ timeout: 1 }));
			const [row] = await sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
			expect(row).toEqual({ ssl: false });
		}
	});

	test('verify-ca takes another name, verify-full refuses it', async () => {
		const to = (mode: string) => at(`[${V6}]`, `sslmode=${mode}&sslrootcert=$CA`);
		expect(await look(to('verify-ca'))).toMatchObject({ tls: true });
		await expect(look(to('verify-full'))).rejects.toThrow(/does not match certificate's altnames/);
	});

	test.each(['sslmode=verify-ca', 'sslmode=verify-full', 'sslrootcert=system'])(
		'(control) "%s" refuses a certificate of an unknown authority',
		async (query) => {
			await expect(look(at('127.0.0.1', query))).rejects.toThrow(/self-signed certificate/);
		},
	);
});
