/**
 * `npm run demo`: everything at once, on this machine alone unless HOST is given: embedded Postgres, build, migrations, history,
 * the web server, and simulated visitors who send through the public HTTP API.
 */
import { join } from 'node:path';
import { connect } from '../src/lib/server/db/connect';
import { migrate } from '../src/lib/server/migrations/migrate';
import { provideDemoKeys, type DemoKeys } from './demo/demo-keys';
import { toDemoServer } from './demo/demo-server';
import { openDatabase, type LocalDatabase } from './postgres/local-database';
import { choosePort } from './process/ports';
import { fillHistory } from './demo/demo-history';
import { startNode, supervise, type Part } from './process/supervise';
import { waitForServer } from './process/wait-for-server';

const RATE_PER_S = 1;
/** Of its own: another server may run from `build/`. */
const BUILD = '.svelte-kit/demo-build';

process.exitCode = await supervise(async (add) => {
	const port = await choosePort();
	// first, so that a second demo in the same folder ends here, and not after building over the first one's head
	const database = await openDatabase('nowboard_demo');
	add(database);
	await migrate(database.url, { schema: database.schema });
	// ninety days take some seconds: they pass while it is built
	await Promise.all([build(add), fill(database)]);
	const keys = await prepare(database);
	await fill(database);
	const { env, url, here, isOpen, password } = toDemoServer({
		databaseUrl: database.url,
		port,
		keys,
	});

	// before the web server, so that it stops after it; it waits until the server answers
	const sending = ['--key', `web=${keys.web}`, '--key', `api=${keys.api}`];
	const args = ['--rate', String(RATE_PER_S), '--url', here, '--follow', ...sending];
	add(startNode({ name: 'simulator', args: ['--import', 'tsx', 'scripts/simulate.ts', ...args] }));
	const server = add(startNode({ name: 'web server', args: [BUILD], env }));
	await waitForServer(here, server.exited);
	console.log(`
  Nowboard is running: ${url}
  ${isOpen ? `It listens on ${env.HOST}: anyone who reaches it` : 'Only this machine reaches it; its users'} can view and send.
  Its visitors are simulated; the page can switch them off, and \`npm run demo:clear\` removes what they did.

  Settings: ${url}/settings, with the password ${password}

  Send an event of your own and watch it arrive:

    curl ${url}/api/events -H 'content-type: application/json' \\
      -H 'authorization: Bearer ${keys.secret}' \\
      -d '{"name": "hello", "properties": {"from": "me"}}'

  Ctrl-C stops everything.
`);
});

async function build(add: (part: Part) => Part): Promise<void> {
	console.log('Building …');
	const build = startNode({
		name: 'build',
		args: ['--import', 'tsx', 'scripts/build.ts', BUILD, '--reuse'],
		quiet: true,
	});
	// a part while it runs, so that Ctrl-C reaches it; its end is no accident
	add({ ...build, exited: new Promise(() => {}) });
	if (!(await build.succeeded)) throw new Error(`The build failed (${await build.exited}).`);
}

/** The history that is missing up to now. */
async function fill({ url, schema }: LocalDatabase): Promise<void> {
	const sql = connect(url, { max: 1, schema });
	try {
		await fillHistory(sql, { ratePerS: RATE_PER_S });
	} finally {
		await sql.end({ timeout: 5 });
	}
}

async function prepare({ url, schema }: LocalDatabase): Promise<DemoKeys> {
	const sql = connect(url, { max: 1, schema });
	try {
		return await provideDemoKeys(sql, join(process.env.DATA_DIR || '.data', 'demo-keys.json'));
	} finally {
		await sql.end({ timeout: 5 });
	}
}
