/** `node build` with a wrong environment: what an operator reads, also of the variables that belong to the adapter. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

const WRONG = {
	ORIGIN: 'now.example.com',
	PORT: 'http',
	BODY_SIZE_LIMIT: 'much',
	LOG_LEVEL: 'loud',
};

/** @returns its exit code and what it said on stderr */
async function start(file: string, env: Record<string, string>): Promise<[number, string]> {
	if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build" first.`);
	return promisify(execFile)(process.execPath, [file], { env: { PATH: process.env.PATH, ...env } })
		.then(({ stderr }): [number, string] => [0, stderr])
		.catch(({ code, stderr }: { code: number; stderr: string }): [number, string] => [
			code,
			stderr,
		]);
}

test('every mistake is named at once, before the adapter names one of its own', async () => {
	const [code, said] = await start('build/index.js', WRONG);
	const names = said
		.trim()
		.split('\n')
		.map((line) => line.split(' ')[0]);
	expect(code).toBe(1);
	expect(names).toEqual(['PORT', 'ORIGIN', 'LOG_LEVEL', 'BODY_SIZE_LIMIT', 'DATABASE_URL', 'No']);
});

test('(control) the adapter alone names one mistake', async () => {
	const [, alone] = await start('build/handler.js', WRONG);
	expect(alone).toContain('Invalid ORIGIN');
	expect(alone).not.toMatch(/BODY_SIZE_LIMIT|LOG_LEVEL|DATABASE_URL/);
});

test('an empty line of .env is an unset variable, also for the adapter', async () => {
	const { url } = await useDatabase();
	const app = createAppServer(await freePort(), url, { ORIGIN: '', BODY_SIZE_LIMIT: '', HOST: '' });
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
});

test('(control) to the adapter alone an empty variable is a wrong one', async () => {
	const [, alone] = await start('build/handler.js', { ORIGIN: '' });
	expect(alone).toContain('Invalid ORIGIN');
});
