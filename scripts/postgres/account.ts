/**
 * Under which account Postgres runs and where its data may lie. Matters for root alone: Postgres refuses to
 * run as root, and the account it gets instead must be able to reach its programs and its data.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Where root keeps programs and data when the project lies where only root may enter. */
export const SHARED_FOLDER = '/var/lib/nowboard';

/** `uid` and `gid` are undefined unless we are root: then processes simply run as ourselves. */
export type Account = { uid?: number; gid?: number; name?: string };

export function findAccount(): Account {
	if (process.getuid?.() !== 0) return {};
	for (const name of ['postgres', 'nobody']) {
		const uid = id('-u', name);
		const gid = id('-g', name);
		if (uid !== undefined && gid !== undefined && uid !== 0) return { uid, gid, name };
	}
	throw new Error(
		'Postgres does not run as root, and there is no account "postgres" or "nobody" to run it as. ' +
			'Start this as another user, or set DATABASE_URL to a Postgres of your own.',
	);
}

/**
 * Makes `folder` and gives it to the account. When the account cannot enter it (a parent is closed to others),
 * a folder of the same meaning under SHARED_FOLDER is made instead; returns the one to use.
 */
export function makeDataFolder(
	folder: string,
	account: Account,
	log: (line: string) => void,
): string {
	const wanted = resolve(folder);
	mkdirSync(wanted, { recursive: true });
	if (own(wanted, account)) return wanted;

	const shared = sharedFolder(wanted);
	makeOpenFolder(shared);
	if (!own(shared, account)) {
		throw new Error(
			`Postgres runs as "${account.name}", who can enter neither ${wanted} nor ${shared}. Set DATA_DIR to a folder ` +
				'that other users may enter, or DATABASE_URL to a Postgres of your own.',
		);
	}
	log(
		`Postgres runs as "${account.name}", who cannot enter ${wanted}: its data is in ${shared} instead.`,
	);
	return shared;
}

/** Creates a folder below SHARED_FOLDER that every account may enter, whatever the umask is. */
export function makeOpenFolder(folder: string): void {
	mkdirSync(folder, { recursive: true });
	for (let at = folder; at.startsWith(SHARED_FOLDER); at = dirname(at)) chmodSync(at, 0o755);
}

/** Where makeDataFolder may have put the data of `folder`. */
export function possibleFolders(folder: string): string[] {
	return [resolve(folder), sharedFolder(resolve(folder))];
}

function sharedFolder(wanted: string): string {
	const key = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
	return join(SHARED_FOLDER, key);
}

function own(folder: string, { uid, gid }: Account): boolean {
	if (uid === undefined || gid === undefined) return true;
	chownSync(folder, uid, gid);
	const entered = spawnSync('/bin/sh', ['-c', 'cd "$0" && test -w .', folder], {
		uid,
		gid,
		cwd: '/',
	});
	return entered.status === 0;
}

function id(option: '-u' | '-g', name: string): number | undefined {
	try {
		const text = execFileSync('id', [option, name], {
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'ignore'],
		});
		return Number(text);
	} catch {
		return undefined;
	}
}
