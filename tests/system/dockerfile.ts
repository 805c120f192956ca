/**
 * Follows a Dockerfile without a container engine: every stage is a folder, which stands for the root of its file system.
 * It knows the few instructions that ours has, and throws at any other, so that it never passes over a line.
 * The base image is not followed: the Node of the tests stands for it.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, posix } from 'node:path';

export type Instruction = { name: string; args: string };
export type Stage = { name: string; image: string; instructions: Instruction[] };

/** What the last stage leaves behind. */
export type Image = {
	/** where its WORKDIR lies */
	folder: string;
	env: Record<string, string>;
	user: string;
	cmd: string[];
	healthcheck: string[];
};

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Throws on an instruction before the first FROM. A stage without a name is called by its number, as Docker does. */
export function parseDockerfile(text: string): Stage[] {
	const stages: Stage[] = [];
	const lines = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ');
	for (const line of lines.split('\n').filter((line) => line.trim() !== '')) {
		const [, name = '', args = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
		if (name === 'FROM') {
			const [, image = '', given] = /^(\S+)(?: AS (\S+))?$/i.exec(args) ?? [];
			stages.push({ name: given ?? String(stages.length), image, instructions: [] });
		} else {
			const stage = stages.at(-1);
			if (!stage) throw new Error(`"${line}" stands before the first FROM.`);
			stage.instructions.push({ name, args });
		}
	}
	return stages;
}

/** What a build has of our environment: programs, the way to the registry, and no database. */
const GIVEN =
	/^(PATH|HOME|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|\w*_proxy|npm_config_(registry|cache|userconfig))$/i;
export const BUILD_ENV: NodeJS.ProcessEnv = {
	...Object.fromEntries(Object.entries(process.env).filter(([name]) => GIVEN.test(name))),
	npm_config_prefer_offline: 'true',
	npm_config_audit: 'false',
	npm_config_fund: 'false',
};

/** The project's own image, below `root`; takes about half a minute. */
export function buildImage(root: string): Image {
	const stages = parseDockerfile(readFileSync('Dockerfile', 'utf8'));
	const ignore = readFileSync('.dockerignore', 'utf8');
	return followDockerfile(stages, { root, context: process.cwd(), ignore, env: BUILD_ENV });
}

/**
 * Runs all stages below `root`.
 * @param context the folder that is built, with its .dockerignore as text
 * @param env of every RUN
 */
export function followDockerfile(
	stages: readonly Stage[],
	{
		root,
		context,
		ignore,
		env,
	}: { root: string; context: string; ignore: string; env: NodeJS.ProcessEnv },
): Image {
	const sent = join(root, 'context');
	copyContext(context, sent, ignore);
	let image: Image | undefined;
	for (const stage of stages) image = followStage(stage, root, sent, env);
	if (!image) throw new Error('The Dockerfile has no stage.');
	return image;
}

function followStage(stage: Stage, root: string, sent: string, env: NodeJS.ProcessEnv): Image {
	const top = (name: string) => join(root, `stage-${name}`);
	let workdir = '/';
	const image: Image = { folder: '', env: {}, user: 'root', cmd: [], healthcheck: [] };
	const here = () => join(top(stage.name), workdir);
	mkdirSync(here(), { recursive: true });

	for (const { name, args } of stage.instructions) {
		if (name === 'WORKDIR') {
			workdir = posix.resolve(workdir, args);
			mkdirSync(here(), { recursive: true });
		} else if (name === 'ENV') {
			const [, key, value] = /^([A-Z_]+)=([^\s"']+)$/.exec(args) ?? [];
			if (!key || value === undefined) throw new Error(`ENV ${args}: only NAME=value is followed.`);
			image.env[key] = value;
		} else if (name === 'COPY') {
			const [, from, rest = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(args) ?? [];
			if (rest.startsWith('--')) throw new Error(`COPY ${args}: the option is not followed.`);
			const paths = rest.split(/\s+/);
			const to = posix.resolve(workdir, paths.pop() ?? '');
			const source = from === undefined ? sent : top(from);
			if (!existsSync(source)) throw new Error(`COPY ${args}: there is no stage ${from}.`);
			copy(
				paths.map((path) => join(source, path)),
				join(top(stage.name), to),
				args.endsWith('/'),
			);
		} else if (name === 'RUN') {
			if (!/^npm (ci|run)( [\w:=-]+)*$/.test(args))
				throw new Error(`RUN ${args}: only "npm ci" and "npm run" are followed.`);
			run(args.split(' '), here(), { ...env, ...image.env });
		} else if (name === 'USER') image.user = args;
		else if (name === 'CMD') image.cmd = JSON.parse(args) as string[];
		else if (name === 'HEALTHCHECK')
			image.healthcheck = JSON.parse(args.replace(/^.*?\bCMD /, '')) as string[];
		else if (name !== 'EXPOSE')
			throw new Error(`${name} ${args}: this instruction is not followed.`);
	}
	return { ...image, folder: here() };
}

/** As Docker's COPY: the content of a folder, or files into a folder. */
function copy(sources: string[], to: string, intoFolder: boolean) {
	for (const source of sources) {
		const isFile = statSync(source).isFile();
		const into = isFile && (intoFolder || (existsSync(to) && statSync(to).isDirectory()));
		cpSync(source, into ? join(to, basename(source)) : to, {
			recursive: true,
			verbatimSymlinks: true,
		});
	}
}

function run([program = '', ...args]: string[], cwd: string, env: NodeJS.ProcessEnv) {
	try {
		execFileSync(program, args, { cwd, env, stdio: 'pipe', maxBuffer: MAX_OUTPUT_BYTES });
	} catch (error) {
		const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer };
		throw new Error(`"${program} ${args.join(' ')}" failed.\n${stdout}\n${stderr}`, {
			cause: error,
		});
	}
}

/** Whether `.dockerignore` keeps a path out: the last pattern that matches it or a folder above it decides. */
export function createIgnore(text: string): (path: string) => boolean {
	const patterns = text
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => {
			const keeps = line.startsWith('!');
			return { keeps, matches: toRegExp(keeps ? line.slice(1) : line) };
		});
	return (path) => {
		let ignored = false;
		for (const { keeps, matches } of patterns) if (matches.test(path)) ignored = !keeps;
		return ignored;
	};
}

function toRegExp(pattern: string): RegExp {
	const source = pattern
		.replace(/[.+^${}()|[\]\\]/g, '\\$&')
		.replace(/\*\*\/|\*\*|\*|\?/g, (glob) =>
			glob === '**/' ? '(?:.*/)?' : glob === '**' ? '.*' : glob === '*' ? '[^/]*' : '[^/]',
		);
	return new RegExp(`^${source}(?:/.*)?$`);
}

/** Copies what a build is sent. Folders at the top that are kept out are not looked into. */
function copyContext(from: string, to: string, ignore: string) {
	const isIgnored = createIgnore(ignore);
	const keptOut = readdirSync(from).filter(
		(name) => isIgnored(name) && !ignore.includes(`!${name}/`),
	);
	mkdirSync(to, { recursive: true });
	for (const name of readdirSync(from).filter((name) => !keptOut.includes(name)))
		cpSync(join(from, name), join(to, name), {
			recursive: true,
			filter(source) {
				const path = posix.normalize(source.slice(from.length + 1).replaceAll('\\', '/'));
				return statSync(source).isDirectory() || !isIgnored(path);
			},
		});
}
