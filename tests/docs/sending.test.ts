/**
 * Every example of sending events and presence is run as it stands in the docs, and shown. What curl would send is
 * read off its command line, because curl is not everywhere; the real one is run by tests/system/docs-commands.system.ts.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { createKey } from '../../src/lib/server/keys/key-store';
import { createTaker, RUN } from '../docs-commands/plan';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { createDatabase, type TestDatabase } from '../setup/database';
import { findBlocks, toRequest, toWords, type Block } from '../setup/examples';

const PAGES = ['README.md', 'docs/sending-events.md', 'docs/presence.md'];
const isSent = ({ language, code }: Block) =>
	(language === 'sh' && /^curl [^]*\/api\/(events|presence)/.test(code)) ||
	(language === 'js' && code.includes('/api/events')) ||
	language === 'sql';
/** Pages are in browsers: a robot with a public key is answered and not recorded. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const EXAMPLES = PAGES.flatMap((page) =>
	findBlocks(readFileSync(page, 'utf8'))
		.filter(isSent)
		.map((block) => ({ ...block, page })),
);

let database: TestDatabase;
/** one connection, for transactions written out */
let shell: Sql;
let app: RunningApp;
let keys: { nb_pub_: string; nb_sec_: string };

beforeAll(async () => {
	database = await createDatabase();
	shell = connect(database.url, { max: 1 });
	const make = async (kind: 'public' | 'secret') =>
		(
			await createKey(
				database.sql,
				{ kind, source: 'examples', name: kind, origins: [] },
				'command',
			)
		).key;
	keys = { nb_pub_: await make('public'), nb_sec_: await make('secret') };
	app = createAppServer(await freePort(), database.url);
	await app.start();
});
afterAll(async () => {
	await app.kill('SIGKILL');
	await shell.end({ timeout: 1 });
	await database.drop();
});

/** With this server and these keys in place of those of the text. */
const here = (code: string) =>
	code
		.replace(/https?:\/\/(localhost:3000|now\.example\.com)/g, app.url)
		.replace(/(nb_(?:pub|sec)_)…/g, (_, kind: keyof typeof keys) => keys[kind]);

async function run({ language, code }: Block): Promise<void> {
	if (language === 'sql') return void (await shell.unsafe(code).simple());
	if (language === 'sh') {
		const { url, init } = toRequest(here(code));
		const answer = await fetch(url, init);
		expect([answer.status, await answer.text()]).toEqual([
			202,
			expect.stringContaining('"accepted":'),
		]);
		return;
	}
	const statuses: number[] = [];
	const pending: Promise<Response>[] = [];
	const watched = async (url: string, init: RequestInit) => {
		const headers = new Headers(init.headers);
		headers.set('user-agent', BROWSER);
		const answer = await fetch(url, { ...init, headers });
		statuses.push(answer.status);
		return answer;
	};
	const AsyncFunction = (async () => {}).constructor as new (
		...args: string[]
	) => (fetcher: typeof watched, navigator: object) => Promise<void>;
	const sendBeacon = (url: string, body: string) => {
		const headers = { 'content-type': 'text/plain;charset=UTF-8' };
		return pending.push(watched(url, { method: 'POST', headers, body })) > 0;
	};
	await new AsyncFunction('fetch', 'navigator', here(code))(watched, { sendBeacon });
	await Promise.all(pending);
	expect(statuses).toEqual([202]);
}

test('there are examples of every kind', () => {
	const kinds = (page: string) =>
		new Set(EXAMPLES.filter((one) => one.page === page).map(({ language }) => language));
	expect(kinds('README.md')).toEqual(new Set(['sh', 'sql']));
	expect(kinds('docs/sending-events.md')).toEqual(new Set(['sh', 'js', 'sql']));
});

describe.each(PAGES)('%s', (page) => {
	// in their order: the trigger stands on the table of the example before it
	test.each(EXAMPLES.filter((one) => one.page === page))(
		'line $line: $language',
		async (example) => {
			const table = page === 'docs/presence.md' ? 'presence' : 'events';
			const { sql } = database;
			const count = async () =>
				Number((await sql`select count(*) as n from nowboard.${sql(table)}`)[0]?.n ?? 0);
			const before = await count();
			await run(example);
			// presence is written a little later
			await expect.poll(count).toBeGreaterThan(before);
		},
	);
});

test('they are the commands that the plan has for this file', () => {
	const { take, untaken } = createTaker('tests/docs/sending.test.ts');
	const planned = RUN['tests/docs/sending.test.ts'].map(([page, words]) => take(page, words));
	const run = EXAMPLES.filter(({ language }) => language === 'sh');
	expect(run.map(({ code }) => code.trimEnd())).toEqual(planned);
	expect(untaken()).toEqual([]);
});

test('an account that may insert, and nothing else, is a source', async () => {
	const role = `orders_${process.pid}`;
	await shell.unsafe(
		`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA nowboard TO ${role}; GRANT INSERT ON nowboard.events TO ${role}`,
	);
	try {
		await shell.unsafe(`SET ROLE ${role}`);
		await shell`INSERT INTO nowboard.events (name) VALUES ('from an account')`;
		await expect(shell`SELECT * FROM nowboard.events`).rejects.toThrow(/permission denied/);
	} finally {
		await shell.unsafe(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
	}
});

test('(control) an example that is wrong fails', async () => {
	const [curl] = EXAMPLES.filter(({ language }) => language === 'sh');
	const wrong = { ...(curl as Block), code: (curl as Block).code.replace('"name"', '"title"') };
	await expect(run(wrong)).rejects.toThrow(/400/);
	expect(() => toRequest("curl http://x --upload '{}'")).toThrow('--upload is not known');
	expect(() => toWords("curl 'x")).toThrow('an open');
	expect(toWords('a "b c"\'d\' \\\n  e\\ f')).toEqual(['a', 'b cd', 'e f']);
});
