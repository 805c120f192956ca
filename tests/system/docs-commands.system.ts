/**
 * The documentation's commands that need more than npm does: its registry, git and curl, beside the demo and on a Postgres of one's own. As
 * they stand there, in a clone of the project. Which they are says tests/docs-commands/plan.ts. Takes a few minutes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { waitForServer } from '../../scripts/process/wait-for-server';
import { createTaker } from '../docs-commands/plan';
import { put, runShell, startShell, succeed, type Started } from '../docs-commands/shell';
import { makeTemporaryFolder } from '../setup/server';
import { copyDatabase, dropDatabase } from '../setup/template';
import { BUILD_ENV } from './image';
import { makeRepository, type Repository } from './repository';

const { take, untaken } = createTaker('tests/system/docs-commands.system.ts');
const INSTALL_MS = 5 * 60_000;

let root: string;
let repository: Repository;
/** a clone */
let folder: string;
let databaseUrl: string;
let port: number;
let env: Record<string, string>;

beforeAll(async () => {
	root = makeTemporaryFolder();
	repository = makeRepository(makeTemporaryFolder());
	folder = join(root, 'nowboard');
	execFileSync('git', ['clone', '--quiet', repository.folder, folder]);
	databaseUrl = await copyDatabase(inject('adminUrl'));
	port = await freePort();
	env = { ...(BUILD_ENV as Record<string, string>), CURL_HOME: root };
	// the pages say port 3000, which may be taken
	writeFileSync(join(root, '.curlrc'), `connect-to = "localhost:3000:127.0.0.1:${port}"\nsilent\n`);
});
afterAll(async () => {
	await dropDatabase(inject('adminUrl'), databaseUrl);
	for (const one of [root, repository.folder]) rmSync(one, { recursive: true, force: true });
});

function start(code: string, more: Record<string, string> = {}): Started {
	const started = startShell(code, { cwd: folder, env: { ...env, ...more } });
	onTestFinished(async () => void (await started.stop()));
	return started;
}

const exited = ({ ended }: Started) =>
	ended.then(({ code, stdout, stderr }) => `exit code ${code}\n${stdout}${stderr}`);
const curl = (code: string) => succeed(code, { cwd: folder, env });

test(
	'the demo, from a clone; its stream is watched, and events are sent to it',
	async () => {
		const demo = start(take('README.md', 'npm install && npm run demo'), { PORT: String(port) });
		await expect.poll(demo.output, { timeout: INSTALL_MS }).toContain('Nowboard is running:');
		const key = /Bearer (nb_sec_[\w-]+)/.exec(demo.output())?.[1] ?? '';

		const stream = start(take('docs/stream.md', 'curl -N'));
		await expect.poll(stream.output, { timeout: 10_000 }).toMatch(/^event: reset$/m);
		const shown = (text: string) => expect.poll(stream.output, { timeout: 10_000 }).toContain(text);
		expect(await curl(take('README.md', '{"name": "signup", "properties"'))).toBe(
			'{"accepted":1,"duplicates":0}',
		);
		await shown('"plan":"pro"');
		const keyed = (words: string) =>
			curl(put(take('docs/sending-events.md', words), [['nb_sec_…', key]]));
		expect(await keyed(`-d '{"name": "order"`)).toBe('{"accepted":1,"duplicates":0}');
		await shown('"total":42');
		expect(await keyed(`-d '[`)).toContain('"accepted":2,"duplicates":0');
		expect(await keyed(`-d '[`)).toContain('"accepted":1,"duplicates":1');
		await shown('"total":-42');
		await stream.stop();
		await demo.stop();
	},
	INSTALL_MS + 60_000,
);

/** `.env` as an operator edits the copy. */
const toEdit = (values: Record<string, string>) =>
	Object.entries(values)
		.map(([name, value]) => `sed -i 's|^# ${name}=.*|${name}=${value}|' .env`)
		.join('\n');
const withLogin = () => fetch(`http://localhost:${port}/api/dashboard/status`);

test(
	'on a Postgres of one’s own, and then the next version',
	async () => {
		const url = `http://localhost:${port}`;
		const edits = toEdit({
			DATABASE_URL: databaseUrl,
			DASHBOARD_PASSWORD: 'correct horse',
			PORT: String(port),
			ORIGIN: url,
		});
		const comment = '# set DATABASE_URL and DASHBOARD_PASSWORD\n';
		const code = put(take('README.md', 'cp .env.example .env'), [[comment, `\n${edits}\n`]]);
		const server = start(code);
		await expect.poll(server.output, { timeout: INSTALL_MS }).toContain('> nowboard');
		await expect.poll(server.output, { timeout: INSTALL_MS }).toContain('Listening on');
		await waitForServer(url, exited(server));
		expect((await withLogin()).status).toBe(401);
		await server.stop();

		repository.release('next');
		const next = start(take('docs/upgrading.md', 'git pull'));
		await expect.poll(next.output, { timeout: INSTALL_MS }).toContain('Listening on');
		await waitForServer(url, exited(next));
		expect(existsSync(join(folder, 'next'))).toBe(true);
		expect((await withLogin()).status).toBe(401);
		await next.stop();
	},
	2 * INSTALL_MS,
);

/** Long runs as the README names them, made short. */
const LONG = [
	['npm run test:wire', '--messages 20000', /^\w+.*messages/m],
	['npm run test:faults', '--events 800 --rate 200 --clients 5 --faults 3', /seed \d+/i],
	['npm run test:fuzz', '--requests 2000 --lurkers 20', /^2000 of|, 2000 requests/m],
] as const;
/** Of so few values, on cores that other tests share: it says nothing. */
const OF_TOO_FEW = /^p99 of the honest viewers was .*\n/m;

test.each(LONG)(
	'%s, with %s',
	async (words, options, says) => {
		const code = put(take('docs/contributing.md', words), [[words, `${words} -- ${options}`]]);
		const ran = await runShell(code, { cwd: folder, env });
		const amiss = ran.stderr.replace(OF_TOO_FEW, '');
		expect([amiss, ran.stdout]).toEqual(['', expect.stringMatching(says)]);
		expect(ran.code).toBe(amiss === ran.stderr ? 0 : 1);
	},
	INSTALL_MS,
);

test('all that the plan has for this file was run', () => {
	expect(untaken()).toEqual([]);
});
