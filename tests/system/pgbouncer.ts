/** A PgBouncer in transaction mode in front of a database, at its defaults otherwise. */
import { spawn } from 'node:child_process';
import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { findAccount } from '../../scripts/postgres/account';
import { findProgram } from '../../scripts/testing/system-programs';
import { connect } from '../../src/lib/server/db/connect';
import { makeTemporaryFolder } from '../setup/server';

/** Ends with the test. @returns the same database's URL through the pooler */
export async function startPgbouncer(databaseUrl: string): Promise<string> {
	const program = findProgram('pgbouncer');
	if (!program)
		throw new Error('There is no pgbouncer: npm run test:system says how to install it.');
	const to = new URL(databaseUrl);
	const url = new URL(databaseUrl);
	url.port = String(await freePort());
	const folder = makeTemporaryFolder();
	// it refuses to run as root
	const { uid, gid } = findAccount();
	if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
	const file = join(folder, 'pgbouncer.ini');
	writeFileSync(
		file,
		`[databases]
* = host=127.0.0.1 port=${to.port} user=${to.username} password=${to.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${url.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
`,
	);
	const child = spawn(program, [file], { uid, gid, stdio: ['ignore', 'ignore', 'pipe'] });
	let output = '';
	child.stderr.on('data', (chunk: Buffer) => (output += chunk));
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
	onTestFinished(async () => {
		child.kill('SIGKILL');
		await ended;
		rmSync(folder, { recursive: true });
	});
	const answers = async () => {
		const sql = connect(url.href, { max: 1 });
		try {
			return (await sql`select 1 as one`)[0]?.one as number;
		} catch {
			return output;
		} finally {
			await sql.end({ timeout: 0 });
		}
	};
	await expect.poll(answers, { timeout: 10_000 }).toBe(1);
	return url.href;
}
