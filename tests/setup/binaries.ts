/**
 * The Postgres that tests start: the embedded one, or that of TEST_POSTGRES_BIN, a folder such as /usr/lib/postgresql/15/bin.
 */
import { execFileSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { findBinaries, program, type Binaries } from '../../scripts/postgres/binaries';

export function findTestBinaries(): Binaries {
	const bin = process.env.TEST_POSTGRES_BIN;
	if (!bin) return findBinaries();
	const folder = dirname(resolve(bin));
	const told = execFileSync(program({ folder, version: '', major: 0 }, 'postgres'), ['--version'], {
		encoding: 'utf8',
	});
	const version = /\d+(\.\d+)?/.exec(told)?.[0];
	if (!version) throw new Error(`TEST_POSTGRES_BIN is "${bin}": its postgres says "${told}".`);
	return { folder, version, major: Number.parseInt(version, 10) };
}
