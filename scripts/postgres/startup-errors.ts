/** Turns what Postgres says when it does not start into what to do about it. */

const ADVICE: [pattern: RegExp, advice: string][] = [
	[
		/No space left on device|ENOSPC|EDQUOT|could not resize shared memory/i,
		'Free some space, or set DATA_DIR to a folder on another disk.',
	],
	[/Address already in use|could not bind/i, 'Another program has the port.'],
	[
		/lock file "postmaster\.pid" already exists/i,
		'Another Postgres runs on the same data. Stop it first.',
	],
	[
		/incompatible with server|initialized by PostgreSQL version/i,
		'The data belongs to another version of Postgres. Move it away to start over.',
	],
	[
		/Permission denied|Operation not permitted|EACCES|EPERM|EROFS|read-only file system/i,
		'Check who owns the folder, or set DATA_DIR to one of your own.',
	],
	[/error while loading shared libraries|Library not loaded/i, 'Run `npm rebuild`.'],
];

const LINES_SHOWN = 8;

/** What the system said to us, such as ENOSPC, told like what it says to Postgres; our own messages stay as they are. */
export function explainError(what: string, error: unknown): unknown {
	if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error;
	return new Error(explainFailure(what, error.message), { cause: error });
}

/** The failure, what to do, and the last lines of the output. */
export function explainFailure(what: string, output: string): string {
	const advice = ADVICE.find(([pattern]) => pattern.test(output))?.[1] ?? '';
	const lines = output.trim().split('\n').slice(-LINES_SHOWN);
	return [
		[what, advice, 'DATABASE_URL, when set, uses a Postgres of your own instead.']
			.filter(Boolean)
			.join(' '),
		...lines.map((line) => `    ${line}`),
	].join('\n');
}
