/**
 * Runs the documentation's commands that need only npm, as written, in a copy of the project beside a
 * server with an unmigrated database. tests/docs-commands/plan.ts lists them.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { freePort, isFree } from '../../scripts/process/ports';
import { waitForServer } from '../../scripts/process/wait-for-server';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { createTaker } from '../docs-commands/plan';
import { copyProject } from '../docs-commands/project';
import { put, startShell, succeed, type Started } from '../docs-commands/shell';
import { post } from '../setup/follow-http';
import { makeTemporaryFolder } from '../setup/server';
import { copyDatabase, dropDatabase } from '../setup/template';

const { take, untaken } = createTaker('tests/docs/docs-commands.test.ts');
/** drizzle's, and not to be chosen */
const STUDIO_PORT = 4983;

let folder: string;
let home: string;
let databaseUrl: string;
let sql: Sql;
let server: Started;
let url: string;
/** the environment of the server and of the commands */
let env: Record<string, string>;

beforeAll(async () => {
	folder = copyProject();
	home = makeTemporaryFolder();
	databaseUrl = await copyDatabase(inject('adminUrl'));
	sql = connect(databaseUrl, { max: 1 });
	const port = await freePort();
	url = `http://localhost:${port}`;
	env = {
		HOME: home,
		DATABASE_URL: databaseUrl,
		PORT: String(port),
		HOST: '127.0.0.1',
		ORIGIN: url,
		DASHBOARD_PUBLIC: 'true',
		INGEST_OPEN: 'true',
	};
});
afterAll(async () => {
	await server?.stop();
	await sql.end({ timeout: 1 });
	await dropDatabase(inject('adminUrl'), databaseUrl);
	for (const one of [folder, home]) rmSync(one, { recursive: true, force: true });
});

/** Runs it, with what is here in place of what the page cannot know. @returns what it says */
const run = (page: string, words: string, puts: [from: string, to: string][] = []) =>
	succeed(put(take(page, words), puts), { cwd: folder, env });

/** Starts what goes on until Ctrl-C. */
function start(code: string, more: Record<string, string>): Started {
	const started = startShell(code, { cwd: folder, env: more });
	onTestFinished(async () => void (await started.stop()));
	return started;
}

const exited = ({ ended }: Started) =>
	ended.then(({ code, stdout, stderr }) => `exit code ${code}\n${stdout}${stderr}`);
const count = async () => Number((await sql`select count(*) as n from nowboard.events`)[0]?.n);

test('a database is migrated before there is a server, by either way', async () => {
	expect(await run('docs/contributing.md', 'npm run db:migrate')).toMatch(
		/^Applied \d+ migrations\.$/m,
	);
	expect(await run('docs/deploy/railway.md', 'node build/migrate.js')).toBe(
		'Nothing to migrate.\n',
	);
});

test('the server starts', async () => {
	server = startShell(take('docs/security.md', 'node build'), { cwd: folder, env });
	await waitForServer(url, exited(server));
});

test('keys are made, work, are listed, rotated and revoked', async () => {
	const said = await run('docs/sending-events.md', 'npm run keys -- create --source shop');
	const keys = [...said.matchAll(/^ {4}(nb_(?:pub|sec)_\S+)$/gm)].map(([, key]) => key ?? '');
	expect(keys.map((key) => key.slice(0, 7))).toEqual(['nb_pub_', 'nb_sec_']);
	expect(await post(url, { name: 'order' }, keys[1])).toBe(202);
	expect(await sql`select name, source from nowboard.events`).toEqual([
		{ name: 'order', source: 'orders' },
	]);
	expect(await run('docs/tracker.md', 'npm run keys')).toContain('https://shop.example.com');
	expect(await run('docs/deploy/railway.md', 'node build/keys.js')).toMatch(/^ {4}nb_sec_/m);

	const rotated = await run('docs/sending-events.md', 'npm run keys -- rotate <id>', [
		['<id>', '2'],
	]);
	expect(rotated).toMatch(/^Key 2 is revoked.*[^]*^ {4}nb_sec_/m);
	const revoked = await run('docs/sending-events.md', 'npm run keys -- revoke <id>', [
		['<id>', '1'],
	]);
	expect(revoked).toMatch(/^Key 1 .* is revoked/m);
	const listed = await run('docs/sending-events.md', 'npm run keys -- list');
	expect(listed.match(/^\d+ .*$/gm)?.map((line) => [line[0], line.endsWith('  -')])).toEqual([
		['1', false],
		['2', false],
		['3', true],
		['4', true],
		['5', true],
	]);
});

test('the eraser says how many events it would erase', async () => {
	await sql`insert into nowboard.events (name, session_id) values ('one', '0b0e6d4e-5f0e-4a52-8f3e-0d6f3a1c9b7d')`;
	await sql`insert into nowboard.events (name, source, created_at) values
		('two', 'shop', '2026-01-01T00:00:00Z'), ('three', 'shop', '2026-01-31T23:59:59Z'),
		('four', 'shop', '2026-02-01T00:00:00Z'), ('five', 'other', '2026-01-02T00:00:00Z')`;
	await sql`insert into nowboard.events (name, user_id) values ('six', 'u-4711'), ('seven', 'u-4711'), ('eight', 'u-4711')`;
	const said = await run('docs/privacy.md', 'npm run erase');
	expect(said.match(/^\d+ events would be erased/gm)).toEqual([
		'1 events would be erased',
		'3 events would be erased',
		'2 events would be erased',
	]);
	const options = '--session 0b0e6d4e-5f0e-4a52-8f3e-0d6f3a1c9b7d --yes';
	expect(await run('docs/privacy.md', 'node build/erase.js', [['…', options]])).toContain(
		'1 events are erased',
	);
});

test('visitors are simulated, history is made up, and both are cleared away', async () => {
	const before = await count();
	const simulator = start(put(take('docs/contributing.md', 'npm run simulate'), [['…', url]]), {
		HOME: home,
	});
	await expect.poll(count, { timeout: 60_000 }).toBeGreaterThan(before + 20);
	await simulator.stop();
	expect(await run('docs/contributing.md', 'npm run db:seed')).toMatch(/^Added \d+ events/m);
	expect(await run('docs/contributing.md', 'npm run demo:clear')).toMatch(
		/removed \d+ demo events/,
	);
	expect(await count()).toBe(before);
});

test('what is generated from the source is as it is', async () => {
	const files = () => readdirSync(join(folder, 'drizzle'), { recursive: true }).sort();
	const texts = () =>
		['docs/configuration.md', '.env.example'].map((name) =>
			readFileSync(join(folder, name), 'utf8'),
		);
	const before = [files(), texts()];
	expect(await run('docs/contributing.md', 'npm run db:generate')).toContain('No schema changes');
	await run('docs/contributing.md', 'npm run docs');
	expect([files(), texts()]).toEqual(before);
});

test('one test alone is run', async () => {
	const given = { ...env, TEST_DATABASE_URL: inject('adminUrl'), NO_COLOR: '1' };
	const said = await succeed(take('docs/contributing.md', 'npx vitest run src'), {
		cwd: folder,
		env: given,
	});
	expect(said).toMatch(/Test Files {2}1 passed \(1\)/);
});

test('the tables can be looked at', async () => {
	expect(await isFree(STUDIO_PORT), `port ${STUDIO_PORT} is free`).toBe(true);
	const studio = start(take('docs/contributing.md', 'npm run db:studio'), env);
	await expect.poll(studio.output, { timeout: 60_000 }).toContain('Drizzle Studio is up');
	await studio.stop();
	expect(await isFree(STUDIO_PORT)).toBe(true);
});

test('all that the plan has for this file was run', () => {
	expect(untaken()).toEqual([]);
});

test('(control) a command that is broken fails, and so does one before the last', async () => {
	const place = { cwd: folder, env };
	await expect(succeed('node build/keys.js crate\ntrue', place)).rejects.toThrow(
		/ended with 2:\nnode build\/keys.*[^]*must be one of create/,
	);
	await expect(succeed('false | true', place)).rejects.toThrow('ended with 1');
	expect(() => put('npm run keys', [['<id>', '1']])).toThrow('"<id>" does not stand in');
	expect(() => take('README.md', 'npm run invented')).toThrow('has no "npm run invented"');
});

test('(control) what is stopped is gone with all that it has started', async () => {
	const started = startShell('node -e "setInterval(() => {}, 1e6)" & echo $!; wait', {
		cwd: folder,
	});
	await expect.poll(started.output, { timeout: 60_000 }).toMatch(/^\d+\n$/);
	const pid = Number(started.output());
	process.kill(pid, 0);
	await started.stop();
	const lives = () => {
		try {
			return process.kill(pid, 0);
		} catch {
			return false;
		}
	};
	await expect.poll(lives, { timeout: 60_000 }).toBe(false);
});
