/**
 * A deployment from the first file to the last process, as an operator does it by the guides; each step is one that they would
 * take, and has an outcome that can be other than hoped.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient, type Client } from '../../scripts/doctor/client';
import { logIn } from '../../scripts/doctor/login';
import { freePort } from '../../scripts/process/ports';
import { connect } from '../../src/lib/server/db/connect';
import { findCommands, readPages } from '../docs-commands/commands';
import { findPlanned } from '../docs-commands/plan';
import { put, succeed } from '../docs-commands/shell';
import {
	createDoctor,
	createInstance,
	makeImage,
	PASSWORD,
	prepareSite,
	runCommand,
	sizeOf,
	statusOf,
	toEnv,
	type CleanUp,
} from './deployment';
import { countRows, judge } from './judge';
import { findPostgresPrograms, startExternalPostgres } from './postgres';
import { createSteps, must, type Step } from './steps';
import { isReset, send, startViewer, startWriter } from './viewers';

/** What is done wrong on purpose, to see that it is noticed: a proxy that buffers, instances that are killed, a restore that is none. */
export const SABOTAGES = ['proxy', 'kill', 'restore'] as const;
export type Sabotage = (typeof SABOTAGES)[number] | null;
export type Rehearsed = { steps: readonly Step[]; passed: boolean; postgres: string };

const BROWSERS = 4;
const TABS = 10;
const SEND_EVERY_MS = 10;
/** Between two restarts: as an operator types. */
const PAUSE_MS = 500;
/** A reset comes at once where it comes at all. */
const RESET_MS = 3_000;

export async function rehearse(
	sabotage: Sabotage,
	log: (line: string) => void,
): Promise<Rehearsed> {
	const undo: (() => unknown)[] = [];
	const { steps, step } = createSteps(log);
	const told = { postgres: '' };
	try {
		await play(step, sabotage, (one) => void undo.push(one), told);
		return { steps, passed: true, ...told };
	} catch (error) {
		// whatever a step has thrown is told already
		if (steps.at(-1)?.passed !== false) throw error;
		return { steps, passed: false, ...told };
	} finally {
		for (const one of undo.reverse()) await one();
	}
}

async function play(
	step: ReturnType<typeof createSteps>['step'],
	sabotage: Sabotage,
	cleanUp: CleanUp,
	told: { postgres: string },
) {
	const image = await step(
		'What the Dockerfile leaves, in an empty folder, with production dependencies only',
		async () => {
			const image = makeImage(cleanUp);
			const megabytes = sizeOf(image.folder) / 2 ** 20;
			return [`${readdirSync(image.folder).sort().join(', ')}: ${megabytes.toFixed(0)} MB`, image];
		},
	);

	const program = findPostgresPrograms();
	/** A block of docs/operations.md, as an operator enters it. @param words those by which it is known */
	const enter = (words: string, env: Record<string, string>, puts: [string, string][] = []) => {
		const { code } = findPlanned(findCommands(readPages()), ['docs/operations.md', words]);
		const PATH = dirname(program('pg_dump')) + delimiter + process.env.PATH;
		return succeed(put(code, puts), { cwd: image.folder, env: { ...env, PATH } });
	};
	const startPostgres = async (bare = false) => {
		const postgres = await startExternalPostgres(program, bare);
		cleanUp(postgres.stop);
		const sql = connect(postgres.url, { max: 1, applicationName: 'rehearsal' });
		cleanUp(() => sql.end({ timeout: 0 }));
		return { ...postgres, sql };
	};
	const postgres = await step(
		'An external Postgres, with TLS, a password, and a role that owns its database only',
		async () => {
			const postgres = await startPostgres();
			told.postgres = postgres.version;
			return [`Postgres ${postgres.version} of the system`, postgres];
		},
	);

	const ports = [await freePort(), await freePort()];
	const site = await prepareSite(ports, sabotage !== 'proxy', cleanUp);
	const env = toEnv(postgres.url, site.origin);
	await step('Migrations before the release', async () => [
		await runCommand(image, ['build/migrate.js'], env),
		null,
	]);

	const instances = await step('Two instances', async () => {
		const instances = ports.map((port) => createInstance(image, port, env, cleanUp));
		await Promise.all(instances.map((instance) => instance.start()));
		return ['both are ready', instances];
	});

	const open = async () => {
		const client = await createClient(site.origin, readFileSync(site.certificate, 'utf8'));
		cleanUp(() => client.close());
		return client;
	};
	const client = await step('nginx as the guide has it, with TLS and HTTP/2', async () => {
		await site.start();
		const client = await open();
		must(client.protocol === 'HTTP/2', `it speaks ${client.protocol}`);
		const status = await statusOf(client, '/readyz');
		must(status === 200, `/readyz answers ${status}`);
		return [`${client.protocol}, and both behind it`, client];
	});

	const key = await step('A key for the sender', async () => {
		const said = await runCommand(
			image,
			['build/keys.js', 'create', '--source', 'shop', '--kind', 'secret'],
			env,
		);
		const key = /^ {4}(nb_\S+)$/m.exec(said)?.[1];
		must(key !== undefined, said);
		const [without, with_] = [await send(client, null), await send(client, key)];
		must(without === 401 && with_ === 202, `without it ${without}, with it ${with_}`);
		return ['without it 401, with it 202', key];
	});

	const examine = createDoctor(image, site.certificate);
	await step('The doctor finds nothing', async () => {
		const said = await examine(env, site.origin);
		return [said.split('\n').at(-1) ?? '', null];
	});

	const { viewers, cookie } = await step('A viewer logs in, and opens pages', async () => {
		must(
			(await statusOf(client, '/api/dashboard/status')) === 401,
			'the page asks for no password',
		);
		const { cookie, finding } = await logIn(client, PASSWORD, false);
		must(cookie !== null, finding.says);
		const browsers = await Promise.all(Array.from({ length: BROWSERS }, open));
		const viewers = browsers.flatMap((browser) =>
			Array.from({ length: TABS }, () => startViewer(browser, cookie)),
		);
		cleanUp(() => viewers.forEach((viewer) => viewer.stop()));
		const deadline = Date.now() + 10_000;
		while (viewers.some(({ account }) => account.resets().length === 0) && Date.now() < deadline)
			await pause(20);
		must(
			viewers.every(({ account }) => account.resets().length === 1),
			'not every page has a state after 10 s',
		);
		return [
			`${viewers.length} pages of ${BROWSERS} browsers, one connection each; without a login 401`,
			{ viewers, cookie },
		];
	});

	/** where pages stood, now and then */
	const cursors = new Set<string>();
	const keepCursors = () => {
		for (const { account } of viewers) cursors.add(account.cursor() ?? '');
	};

	await step('A rolling restart under load', async () => {
		keepCursors();
		const writer = startWriter(client, key, SEND_EVERY_MS);
		cleanUp(writer.stop);
		await pause(PAUSE_MS);
		for (const instance of instances) {
			await instance.kill(sabotage === 'kill' ? 'SIGKILL' : 'SIGTERM');
			await instance.start();
			await pause(PAUSE_MS);
			keepCursors();
		}
		await writer.stop();
		return [await judge(postgres.sql, viewers, writer), null];
	});

	const file = join(image.folder, 'nowboard.dump');
	const dumped = await step('A backup while events come', async () => {
		const writer = startWriter(client, key, SEND_EVERY_MS);
		cleanUp(writer.stop);
		const before = await countRows(postgres.sql);
		await enter('pg_dump', { DATABASE_URL: postgres.url });
		const after = await countRows(postgres.sql);
		await writer.stop();
		const told = await judge(postgres.sql, viewers, writer);
		return [
			`pg_dump: ${Math.round(statSync(file).size / 1024)} KB; meanwhile ${told}`,
			{ before, after },
		];
	});

	const restored = await step('Restored elsewhere', async () => {
		const elsewhere = await startPostgres(true);
		const [address = ''] = elsewhere.url.split(/(?<=:\d+)\//);
		await enter('pg_restore', { PGSSLMODE: 'require' }, [
			['postgres://user:password@new.example.com:5432', address],
		]);
		const rows = await countRows(elsewhere.sql);
		must(
			rows >= dumped.before && rows <= dumped.after,
			`${rows} events, and there were ${dumped.before} to ${dumped.after}`,
		);
		await examine({ DATABASE_URL: elsewhere.url });
		return [`${rows} events; the doctor finds nothing there`, elsewhere];
	});

	await step('A client that comes back there gets a reset', async () => {
		const port = await freePort();
		const origin = `http://127.0.0.1:${port}`;
		const instance = createInstance(image, port, toEnv(restored.url, origin), cleanUp);
		await instance.start();
		const [there, here] = [await createClient(origin), client];
		cleanUp(() => there.close());
		keepCursors();
		const resets = async (at: Client) => {
			const all = [...cursors].map((cursor) => isReset(at, cookie, cursor, RESET_MS));
			return (await Promise.all(all)).filter((one) => one).length;
		};
		const fresh = await resets(sabotage === 'restore' ? here : there);
		must(fresh === cursors.size, `only ${fresh} of ${cursors.size} cursors are reset there`);
		const old = await resets(here);
		must(old === 0, `${old} of the same cursors are reset where they belong`);
		const status = await send(there, key);
		must(status === 202, `an event with the old key is answered ${status}`);
		await instance.kill('SIGTERM');
		return [
			`${cursors.size} cursors of before: all reset there, none here; the login and the key go on`,
			null,
		];
	});

	await step('The end', async () => {
		for (const viewer of viewers) viewer.stop();
		for (const instance of instances) await instance.kill('SIGTERM');
		const codes = instances.map((instance) => instance.exitCode());
		must(
			codes.every((code) => code === 0),
			`the instances ended with ${codes.join(', ')}`,
		);
		return ['both instances ended by themselves, with 0', null];
	});
}
