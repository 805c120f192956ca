/** A build that is replaced under a running server: what is gone is a 404, and the server goes on. */
import { execFile } from 'node:child_process';
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	renameSync,
	rmSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

/** A copy of the build where Node finds our packages; it ends with the test. */
function copyBuild(): string {
	if (!existsSync('build/index.js'))
		throw new Error('build/index.js is missing: run "npm run build" first.');
	mkdirSync('.svelte-kit', { recursive: true });
	const folder = mkdtempSync(join('.svelte-kit', 'replaced-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	cpSync('build', join(folder, 'build'), { recursive: true });
	return folder;
}

const CLIENT = 'build/client';
const ENTRIES = '_app/immutable/entry';
const br = { headers: { 'accept-encoding': 'br' } };

test('an asset that is gone gets a 404, and the server goes on', async () => {
	const folder = copyBuild();
	const { url } = await useDatabase();
	const env = { MIGRATIONS_DIR: resolve('drizzle') };
	const app = createAppServer(await freePort(), url, env, folder);
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	const script = readdirSync(join(folder, CLIENT, ENTRIES)).find((name) => name.endsWith('.js'));
	const address = `${app.url}/${ENTRIES}/${script}`;
	expect((await fetch(address, br)).status).toBe(200);

	renameSync(join(folder, CLIENT), join(folder, 'before'));
	expect((await fetch(address, br)).status).toBe(404);
	expect((await fetch(`${app.url}/favicon.svg`, br)).status).toBe(404);
	expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
	expect(app.exitCode()).toBe(null);

	renameSync(join(folder, 'before'), join(folder, CLIENT));
	expect((await fetch(address, br)).status).toBe(200);
}, 60_000);

test('(control) what adapter-node serves files with ends the process', async () => {
	const folder = copyBuild();
	const program = `
		import { createServer } from 'node:http';
		import { renameSync } from 'node:fs';
		import sirv from 'sirv';
		const files = sirv('${CLIENT}', { brotli: true });
		const server = createServer((request, response) => files(request, response)).listen(0, async () => {
			renameSync('${CLIENT}', 'before');
			await fetch('http://localhost:' + server.address().port + '/favicon.svg').catch(() => {});
			process.exit(0);
		});`;
	const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
		cwd: folder,
	});
	await expect(run).rejects.toMatchObject({ stderr: expect.stringContaining('ENOENT') });
}, 60_000);
