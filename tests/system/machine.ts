/**
 * A machine of one's own, as the guides want one, for commands that make accounts, write into /etc and take the ports of others: this system's
 * programs in namespaces, where what is written ends with them. Needs root.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { makeTemporaryFolder } from '../setup/server';
import { SHELL_ENV, startShell, succeed, type Place, type Started } from '../docs-commands/shell';

type Typed = {
	/** whose shell; `admin` may use sudo, as people do on a machine of theirs */
	as?: 'admin' | 'root';
	cwd?: string;
	env?: Record<string, string>;
	input?: string;
	/** with the way out that this system has, for what is downloaded, and without the machine's own addresses */
	outside?: boolean;
};

export type Machine = {
	/** @returns what it prints on stdout; throws all of it when it fails */
	run(code: string, typed?: Typed): Promise<string>;
	/** Waits for nothing; it ends with the machine. */
	start(code: string, typed?: Typed): Started;
	/** Ends everything that runs there. */
	close(): Promise<void>;
};

const HOME = '/var/lib/admin';
const READY = 'the machine is ready';
/** Changes of these folders are the machine's own. */
const FOLDERS = ['/etc', '/opt', '/run', '/var'];

/** Where a test may put programs in place of the system's. */
export const BIN = '/opt/machine/bin';
const PATH = `${BIN}:${process.env.PATH}:/usr/sbin`;

/** Ends when what it reads does, and takes all processes of the machine with it. */
const BOOT = `set -e
read -r pid _ </proc/self/stat
mount -t proc proc /proc
mount -t tmpfs tmpfs $0
for folder in ${FOLDERS.join(' ')}; do
	mkdir -p $0$folder/upper $0$folder/work
	mount -t overlay overlay -o lowerdir=$folder,upperdir=$0$folder/upper,workdir=$0$folder/work $folder
done
ip link set lo up
mkdir -p ${BIN}
useradd --system --create-home --home-dir ${HOME} --shell /bin/bash admin
cat >/etc/sudoers.d/machine <<'end'
admin ALL=(ALL) NOPASSWD: ALL
Defaults !use_pty
Defaults secure_path="${PATH}"
Defaults env_keep += "${Object.keys(SHELL_ENV).join(' ')} npm_config_registry"
end
git config --system safe.directory '*'
echo "$pid ${READY}"
# it stays what adopts whom their parents have left, and waits for them
cat >/dev/null
exit`;

export async function createMachine(): Promise<Machine> {
	const folder = makeTemporaryFolder();
	const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child'];
	const args = [...namespaces, 'bash', '--norc', '-c', BOOT, folder];
	const holder = spawn('unshare', args, { cwd: '/' });
	const closed = once(holder, 'close');
	closed.catch(() => {});
	holder.once('close', () => rmSync(folder, { recursive: true, force: true }));
	const pid = await boot(holder);

	function toPlace({ as = 'root', cwd = '/', env = {}, input, outside = false }: Typed): Place {
		const given = { ...SHELL_ENV, PATH, HOME: as === 'root' ? '/root' : HOME, ...env };
		const pairs = Object.entries(given).flatMap(([name, value]) =>
			value === undefined ? [] : [`${name}=${value}`],
		);
		return {
			cwd: '/',
			...(input !== undefined && { input }),
			through: [
				...['nsenter', '--target', pid, '--mount', '--pid', ...(outside ? [] : ['--net'])],
				'--',
				...(as === 'root' ? [] : ['setpriv', `--reuid=${as}`, `--regid=${as}`, '--init-groups']),
				...['env', '-i', `--chdir=${cwd}`, ...pairs],
			],
		};
	}
	return {
		run: (code, typed = {}) => succeed(code, toPlace(typed)),
		start: (code, typed = {}) => startShell(code, toPlace(typed)),
		async close() {
			holder.stdin.end();
			await closed;
		},
	};
}

/** @returns the process whose namespaces are the machine's */
async function boot(holder: ChildProcessWithoutNullStreams): Promise<string> {
	let output = '';
	return new Promise((resolve, reject) => {
		const onData = (chunk: Buffer) => {
			output += chunk;
			const pid = new RegExp(`^(\\d+) ${READY}$`, 'm').exec(output)?.[1];
			if (pid) resolve(pid);
		};
		holder.stdout.on('data', onData);
		holder.stderr.on('data', onData);
		holder.once('error', reject);
		holder.once('close', () =>
			reject(
				new Error(
					`There is no machine to run this on. It needs root, and a kernel that lets it make namespaces.\n${output}`,
				),
			),
		);
	});
}
