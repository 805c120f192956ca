/** A repository to clone from, with the project as its files are now. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Repository = {
	folder: string;
	/** Adds a file, as a next version would. */
	release(name: string): void;
};

/** @param folder of its own, and empty */
export function makeRepository(folder: string): Repository {
	const git = (...args: string[]) =>
		execFileSync('git', ['-C', folder, '-c', 'user.name=test', '-c', 'user.email=', ...args], {
			stdio: 'pipe',
		});
	const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
	const files = execFileSync('git', listed, { encoding: 'utf8' }).split('\0');
	for (const file of files.filter((one) => one !== '' && existsSync(one)))
		cpSync(file, join(folder, file));
	git('init', '--quiet', '--initial-branch=main');
	const commit = (message: string) => {
		git('add', '--all');
		git('commit', '--quiet', '--message', message);
	};
	commit('as it is');
	return {
		folder,
		release(name) {
			writeFileSync(join(folder, name), '');
			commit('the next version');
		},
	};
}
