/**
 * A Postgres of the system's, as an operator runs it: another version than the embedded one, TLS, a password, and
 * a role that owns its database and nothing else. With the programs for backups that belong to it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../scripts/process/ports';
import { findAccount } from '../../scripts/postgres/account';
import { connect } from '../../src/lib/server/db/connect';
import { makeTemporaryFolder } from '../setup/server';
import { makeCertificate } from '../system/certificate';

export type ExternalPostgres = {
	/** of the role that the server has */
	url: string;
	version: string;
	stop(): Promise<void>;
};

const READY_MS = 30_000;
const PASSWORD = 'pa55-word';

/** The programs of the newest version that is installed. Throws with the command that installs one. */
export function findPostgresPrograms(root = '/usr/lib/postgresql'): (name: string) => string {
	const versions = existsSync(root)
		? readdirSync(root)
				.map(Number)
				.sort((a, b) => b - a)
		: [];
	const folder = versions
		.map((version) => join(root, String(version), 'bin'))
		.find((bin) =>
			['postgres', 'initdb', 'createdb', 'pg_dump', 'pg_restore'].every((name) =>
				existsSync(join(bin, name)),
			),
		);
	if (folder) return (name) => join(folder, name);
	throw new Error(
		'This needs a Postgres of the system. On Debian and Ubuntu:\n\n    apt-get update && apt-get install -y --no-install-recommends postgresql\n',
	);
}

/**
 * Without a table. The role has its database, and may do nothing else.
 * @param bare there is no database either, and the role may make one
 */
export async function startExternalPostgres(
	program: (name: string) => string,
	bare = false,
): Promise<ExternalPostgres> {
	const folder = makeTemporaryFolder();
	const { uid, gid } = findAccount();
	const give = (path: string) => {
		if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
	};
	const passwordFile = join(folder, 'password');
	writeFileSync(passwordFile, PASSWORD);
	const { certificate, key } = makeCertificate(folder, 'localhost');
	chmodSync(key, 0o600);
	for (const path of [folder, passwordFile, certificate, key]) give(path);
	const data = join(folder, 'data');
	const as = { uid, gid, cwd: '/', env: { ...process.env, LC_ALL: 'C' } };
	const make = ['-D', data, '-U', 'postgres', '--pwfile', passwordFile, '--auth=scram-sha-256'];
	execFileSync(program('initdb'), [...make, '-E', 'UTF8', '--locale=C'], { ...as, stdio: 'pipe' });

	const port = await freePort();
	const settings = {
		listen_addresses: '127.0.0.1',
		unix_socket_directories: '',
		ssl: 'on',
		ssl_cert_file: certificate,
		ssl_key_file: key,
	};
	const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
	const server = spawn(program('postgres'), ['-D', data, '-p', String(port), ...args], {
		...as,
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	let output = '';
	server.stderr.on('data', (chunk: Buffer) => (output += chunk));
	const ended = new Promise<void>((resolve) => server.once('close', () => resolve()));
	const stop = async () => {
		server.kill('SIGINT');
		await ended;
		rmSync(folder, { recursive: true, force: true });
	};
	try {
		const admin = await connectWhenReady(
			`postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres?sslmode=require`,
		);
		await admin`create role nowboard login password ${admin.unsafe(`'${PASSWORD}'`)}`;
		if (bare) await admin`alter role nowboard createdb`;
		else await admin`create database nowboard owner nowboard`;
		const [row] = await admin`select current_setting('server_version') as version`;
		await admin.end();
		const url = `postgres://nowboard:${PASSWORD}@127.0.0.1:${port}/nowboard?sslmode=require`;
		return { url, version: String(row?.version).split(' ')[0] ?? '', stop };
	} catch (error) {
		await stop();
		throw new Error(`Postgres did not start.\n${output}`, { cause: error });
	}
}

async function connectWhenReady(url: string) {
	const deadline = Date.now() + READY_MS;
	for (;;) {
		const sql = connect(url, { max: 1 });
		try {
			await sql`select 1`;
			return sql;
		} catch (error) {
			await sql.end({ timeout: 0 });
			if (Date.now() > deadline) throw error;
			await pause(50);
		}
	}
}
