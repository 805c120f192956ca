/**
 * What the files of a deployment say of the server is so: how long it may take to end, which paths are asked, what runs before a
 * release, what must be there first. Whether a platform does as it is told is not known here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { VARIABLES } from '../../src/lib/server/config/variables';

const read = (path: string) => readFileSync(path, 'utf8');

/** From SIGTERM until the process is gone, whatever hangs. */
const EXIT_MS = ['src/lib/server/shutdown.ts']
	.filter((path) => existsSync(path))
	.flatMap((path) => [...read(path).matchAll(/^(?:export )?const EXIT_MS = ([\d_]+);$/gm)])
	.map(([, number]) => Number(number?.replaceAll('_', '')));
/** Beside the server in the image. */
const COMMANDS = [
	...read('scripts/release/build-release.ts').matchAll(/^\t(\w+): 'scripts\//gm),
].map(([, name]) => `node build/${name}.js`);

type Check = { path: string; method?: string };
type Fly = {
	kill_signal?: string;
	kill_timeout?: number;
	build: { dockerfile: string };
	deploy: { release_command?: string; strategy?: string };
	env: Record<string, string>;
	http_service: {
		internal_port: number;
		auto_stop_machines?: string | boolean;
		concurrency?: { type: string; soft_limit: number; hard_limit: number };
		checks: Check[];
	};
	checks: Record<string, Check & { port: number }>;
	vm?: { size: string; memory: string }[];
};
type Service = {
	build?: string;
	image?: string;
	depends_on?: Record<string, { condition: string }>;
	environment: Record<string, string | number>;
	healthcheck?: { test: string[] };
	stop_grace_period?: string;
};

const isRoute = (path: string) => existsSync(`src/routes${path}/+server.ts`);
const isVariable = (name: string) => name in VARIABLES;

function findInFly(text: string): string[] {
	const fly = parseToml(text) as unknown as Fly;
	const { http_service: service, deploy, env } = fly;
	const checks = [...service.checks, ...Object.values(fly.checks)];
	const { type, soft_limit: soft = 0, hard_limit: hard = 0 } = service.concurrency ?? {};
	const megabytes = (fly.vm ?? []).map(({ memory }) => toMegabytes(memory));
	return toFaults({
		'kill_signal: the server ends by SIGTERM': fly.kill_signal === 'SIGTERM',
		'kill_timeout: longer than the server takes': (fly.kill_timeout ?? 5) * 1000 > exitMs(),
		'release_command: it is in the image': COMMANDS.includes(deploy.release_command ?? ''),
		'strategy: one machine after the other': deploy.strategy === 'rolling',
		'dockerfile: it is there': existsSync(fly.build.dockerfile),
		'internal_port: where the server listens': String(service.internal_port) === env.PORT,
		'auto_stop_machines: off': service.auto_stop_machines === 'off',
		'concurrency: streams are connections': type === 'connections' && 100 < soft && soft < hard,
		'checks: paths are routes': checks.length > 0 && checks.every(({ path }) => isRoute(path)),
		'checks: clients go where /readyz is 200': service.checks.some(
			({ path }) => path === '/readyz',
		),
		'checks: the port is the same': Object.values(fly.checks).every(
			({ port }) => port === service.internal_port,
		),
		'env: variables of ours, and no secret': Object.keys(env).every(
			(name) => isVariable(name) && !/PASSWORD|SECRET|TOKEN|DATABASE/.test(name),
		),
		// 219 MiB for 5,000 streams (docs/results/performance.md), 32 for the ring, 64 for a login, 64 for who comes back
		'vm: memory for so many streams': megabytes.some((mb) => mb > (219 * hard) / 5_000 + 160),
	});
}

function toMegabytes(size: string): number {
	const [, number, unit] = /^(\d+) ?(mb|gb)$/i.exec(size) ?? [];
	return Number(number) * (unit?.toLowerCase() === 'gb' ? 1024 : 1);
}

function findInCompose(text: string): string[] {
	const compose = parseYaml(text) as { services: Record<string, Service> };
	const services = Object.entries(compose.services);
	const [, app] = services.find(([, { build }]) => build === '.') ?? [];
	const [name = '', database] =
		services.find(([, one]) => one.image?.startsWith('postgres:')) ?? [];
	const seconds = /^(\d+)s$/.exec(app?.stop_grace_period ?? '10s')?.[1];
	const { host } = new URL(
		String(app?.environment.DATABASE_URL ?? 'postgres://nowhere').replace(/\$\{[^}]*\}/g, 'x'),
	);
	return toFaults({
		'the server is built from here': app !== undefined,
		'stop_grace_period: longer than the server takes': Number(seconds) * 1000 > exitMs(),
		'there is a Postgres, and it says when it is ready':
			database?.healthcheck?.test.includes('pg_isready') === true,
		'the server waits for it': app?.depends_on?.[name]?.condition === 'service_healthy',
		'DATABASE_URL: that Postgres': host === `${name}:5432`,
		'environment: variables of ours': Object.keys(app?.environment ?? { none: 1 }).every(
			isVariable,
		),
	});
}

function findInRelay(text: string): string[] {
	const compose = parseYaml(text, { merge: true }) as {
		services: Record<string, Service & { command?: string; deploy?: { replicas: number } }>;
		configs: Record<string, { content: string }>;
	};
	const { reader, edge, relay } = compose.services;
	const all = [reader, edge].map((one) => one?.environment ?? {});
	const url = String(edge?.environment.RELAY_URL).replace(/\$\{[^}]*\}/g, 'x');
	return toFaults({
		'the server is built from here': [reader, edge].every((one) => one?.build === '.'),
		'one can read, three edges cannot':
			reader?.environment.RELAY_ROLE === undefined &&
			edge?.environment.RELAY_ROLE === 'edge' &&
			edge.deploy?.replicas === 3,
		'environment: variables of ours': all.every((one) => Object.keys(one).every(isVariable)),
		'RELAY_URL: that Valkey, and the form of such a URL':
			url.includes('@relay:6379/') && VARIABLES.RELAY_URL.rule(url).ok,
		'it waits for both': ['relay', 'database'].every(
			(name) => edge?.depends_on?.[name]?.condition === 'service_healthy',
		),
		'Valkey asks for a password': relay?.command?.includes('--requirepass') === true,
		'nginx does not collect':
			compose.configs.nginx?.content.includes('proxy_buffering off') === true,
	});
}

function findInDockerfile(text: string): string[] {
	const last = text.slice(text.lastIndexOf('\nFROM ')).replace(/\\\n/g, ' ');
	const argsOf = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(last)?.[1] ?? '';
	const asked = /'(\/\w+)'/.exec(argsOf('HEALTHCHECK'))?.[1] ?? '';
	return toFaults({
		'CMD: node itself, so that SIGTERM arrives': argsOf('CMD') === '["node", "build"]',
		'USER: not root': !['', 'root', '0'].includes(argsOf('USER')),
		'HEALTHCHECK: a route that asks no database': asked === '/healthz' && isRoute(asked),
		'COPY: what the server migrates with': last.includes('\nCOPY drizzle ./drizzle\n'),
		'EXPOSE: where it listens by default': argsOf('EXPOSE') === String(VARIABLES.PORT.fallback),
	});
}

/** What the guides say of the time until a kill. */
const findInGuides = (text: string) =>
	[...text.matchAll(/(?:TimeoutStopSec=|--stop-timeout |DRAINING_SECONDS` +\| `)(\d+)/g)]
		.filter(([, seconds]) => Number(seconds) * 1000 <= exitMs())
		.map(([found]) => found);

/** The names of what does not hold. */
function toFaults(holds: Record<string, boolean>): string[] {
	return Object.keys(holds).filter((name) => !holds[name]);
}

function exitMs(): number {
	if (EXIT_MS.length !== 1) throw new Error(`EXIT_MS is defined ${EXIT_MS.length} times.`);
	return EXIT_MS[0] as number;
}

type Change = [from: string, to: string, fault: string];

const FILES: [path: string, find: (text: string) => string[], changes: Change[]][] = [
	[
		'fly.toml',
		findInFly,
		[
			['kill_signal = "SIGTERM"', '', 'kill_signal: the server ends by SIGTERM'],
			['kill_timeout = 15', 'kill_timeout = 10', 'kill_timeout: longer than the server takes'],
			['build/migrate.js', 'build/migrations.js', 'release_command: it is in the image'],
			['strategy = "rolling"', 'strategy = "immediate"', 'strategy: one machine after the other'],
			['"Dockerfile"', '"Containerfile"', 'dockerfile: it is there'],
			['auto_stop_machines = "off"', 'auto_stop_machines = "stop"', 'auto_stop_machines: off'],
			['"connections"', '"requests"', 'concurrency: streams are connections'],
			['soft_limit = 1000', 'soft_limit = 20', 'concurrency: streams are connections'],
			['path = "/healthz"', 'path = "/health"', 'checks: paths are routes'],
			['path = "/readyz"', 'path = "/healthz"', 'checks: clients go where /readyz is 200'],
			['  port = 3000', '  port = 8080', 'checks: the port is the same'],
			['ADDRESS_HEADER', 'ADRESS_HEADER', 'env: variables of ours, and no secret'],
			['ADDRESS_HEADER', 'DASHBOARD_PASSWORD', 'env: variables of ours, and no secret'],
			['memory = "1gb"', 'memory = "256mb"', 'vm: memory for so many streams'],
			['hard_limit = 5000', 'hard_limit = 50000', 'vm: memory for so many streams'],
		],
	],
	[
		'compose.yaml',
		findInCompose,
		[
			['build: .', 'image: nowboard', 'the server is built from here'],
			['stop_grace_period: 15s', '', 'stop_grace_period: longer than the server takes'],
			['pg_isready', 'true', 'there is a Postgres, and it says when it is ready'],
			['service_healthy', 'service_started', 'the server waits for it'],
			['@database:5432', '@localhost:5432', 'DATABASE_URL: that Postgres'],
			['HOST: 0.0.0.0', 'HOSTS: 0.0.0.0', 'environment: variables of ours'],
		],
	],
	[
		'docs/deploy/relay/compose.yaml',
		findInRelay,
		[
			['RELAY_ROLE: edge', 'RELAY_ROLE: all', 'one can read, three edges cannot'],
			['RELAY_URL: ', 'RELAY: ', 'environment: variables of ours'],
			['@relay:6379/0', '@redis:6379/0', 'RELAY_URL: that Valkey, and the form of such a URL'],
			['@relay:6379/0', '@relay:6379/x', 'RELAY_URL: that Valkey, and the form of such a URL'],
			['    relay:\n      condition', '    relai:\n      condition', 'it waits for both'],
			['--requirepass', '--masterauth', 'Valkey asks for a password'],
			['proxy_buffering off', 'proxy_buffering on', 'nginx does not collect'],
		],
	],
	[
		'Dockerfile',
		findInDockerfile,
		[
			['CMD ["node", "build"]', 'CMD npm start', 'CMD: node itself, so that SIGTERM arrives'],
			['USER node', '', 'USER: not root'],
			["'/healthz'", "'/readyz'", 'HEALTHCHECK: a route that asks no database'],
			['COPY drizzle ./drizzle', '', 'COPY: what the server migrates with'],
			['EXPOSE 3000', 'EXPOSE 8080', 'EXPOSE: where it listens by default'],
		],
	],
];

describe.each(FILES)('%s', (path, find, changes) => {
	test('fits the server', () => {
		expect(find(read(path))).toEqual([]);
	});

	test.each(changes)('(control) "%s" → "%s" is found', (from, to, fault) => {
		expect(read(path)).toContain(from);
		expect(find(read(path).replace(from, to))).toContain(fault);
	});
});

test.each([
	['docs/deploy/vm.md', 'TimeoutStopSec=15', 'TimeoutStopSec=10'],
	['docs/deploy/docker.md', '--stop-timeout 15', '--stop-timeout 5'],
	['docs/deploy/railway.md', '`15`: time after SIGTERM', '`8`: time after SIGTERM'],
])('%s: time enough until a kill; %s → %s is found', (path, from, to) => {
	const text = read(path);
	expect(text).toContain(from);
	expect([findInGuides(text), findInGuides(text.replace(from, to)).length]).toEqual([[], 1]);
});
