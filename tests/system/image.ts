/** What the Dockerfile puts into an image, made by the same npm commands without a container engine. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Image = { folder: string; env: Record<string, string> };

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** What a build has of our environment: programs, the way to the registry, and no database. */
const GIVEN =
	/^(PATH|HOME|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|\w*_proxy|npm_config_(registry|cache|userconfig))$/i;
export const BUILD_ENV: NodeJS.ProcessEnv = {
	...Object.fromEntries(Object.entries(process.env).filter(([name]) => GIVEN.test(name))),
	npm_config_prefer_offline: 'true',
	npm_config_audit: 'false',
	npm_config_fund: 'false',
};

/** Builds below `root` what git has; takes about half a minute. */
export function buildImage(root: string): Image {
	const [build, folder] = [join(root, 'build'), join(root, 'image')];
	const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0');
	for (const file of files.filter((path) => path !== '')) {
		mkdirSync(dirname(join(build, file)), { recursive: true });
		cpSync(file, join(build, file));
	}
	for (const path of ['package.json', 'package-lock.json', 'drizzle'])
		cpSync(join(build, path), join(folder, path), { recursive: true });
	run('npm ci', build);
	run('npm run build', build);
	run('npm ci --omit=dev --omit=optional', folder);
	cpSync(join(build, 'build'), join(folder, 'build'), { recursive: true });
	return { folder, env: { NODE_ENV: 'production' } };
}

function run(command: string, cwd: string) {
	const [program = '', ...args] = command.split(' ');
	execFileSync(program, args, { cwd, env: BUILD_ENV, stdio: 'pipe', maxBuffer: MAX_OUTPUT_BYTES });
}
