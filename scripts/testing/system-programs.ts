/** Programs that the system tests need and npm does not bring: where they are, and how Debian calls their packages. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const PACKAGES = {
	adduser: 'adduser',
	caddy: 'caddy',
	curl: 'curl',
	faketime: 'faketime',
	git: 'git',
	ip: 'iproute2',
	nginx: 'nginx-light',
	openssl: 'openssl',
	pg_dump: 'postgresql',
	pgbouncer: 'pgbouncer',
	'redis-server': 'redis-server',
	sudo: 'sudo',
	unshare: 'util-linux',
} as const;
export type SystemProgram = keyof typeof PACKAGES;

/** Debian leaves the folders of servers out of the PATH of people. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** The path of the program, or undefined. */
export function findProgram(
	name: SystemProgram,
	path = process.env.PATH ?? '',
): string | undefined {
	return [...path.split(delimiter), ...SERVER_FOLDERS]
		.map((folder) => join(folder, name))
		.find((file) => existsSync(file));
}

/** Throws when one is missing, with the one command that installs them all. */
export function assertPrograms(find: typeof findProgram = findProgram): void {
	const names = Object.keys(PACKAGES) as SystemProgram[];
	const missing = names.filter((name) => !find(name));
	if (missing.length === 0) return;
	const packages = missing.map((name) => PACKAGES[name]).join(' ');
	throw new Error(
		`The system tests need ${missing.join(', ')}, and this system lacks them or some of them. On Debian and Ubuntu:\n\n` +
			`    apt-get update && apt-get install -y --no-install-recommends ${packages}\n`,
	);
}
