/**
 * Which test runs which command of the documentation, and which are beyond tests. Each file named here takes its commands from the
 * pages with `createTaker`, and looks at its end whether it has taken all. `plan.test.ts` holds that no command is missing here.
 */
import {
	findCommands,
	isBeginning,
	readPages,
	toCommandLines,
	type Command,
	type Page,
} from './commands';

/** A page, and words that stand in this command of the page and in no other. */
export type Planned = readonly [page: string, words: string];

export const RUN = {
	/** `npm test`: what curl would send */
	'tests/docs/sending.test.ts': [
		['README.md', '{"name": "signup", "properties"'],
		['docs/sending-events.md', `-d '{"name": "order"`],
		['docs/sending-events.md', `-d '[`],
		['docs/presence.md', '/api/presence'],
	],
	/** `npm test`: what needs npm only */
	'tests/docs/docs-commands.test.ts': [
		['docs/sending-events.md', 'npm run keys -- create --source shop'],
		['docs/sending-events.md', 'npm run keys -- list'],
		['docs/sending-events.md', 'npm run keys -- rotate <id>'],
		['docs/sending-events.md', 'npm run keys -- revoke <id>'],
		['docs/contributing.md', 'npm run simulate'],
		['docs/contributing.md', 'npm run demo:clear'],
		['docs/contributing.md', 'npm run docs'],
		['docs/contributing.md', 'npm run db:generate'],
		['docs/contributing.md', 'npm run db:migrate'],
		['docs/contributing.md', 'npm run db:seed'],
		['docs/contributing.md', 'npm run db:studio'],
		['docs/tracker.md', 'npm run keys'],
		['docs/privacy.md', 'npm run erase'],
		['docs/privacy.md', 'node build/erase.js'],
		['docs/deploy/railway.md', 'node build/keys.js'],
		['docs/deploy/railway.md', 'node build/migrate.js'],
		['docs/security.md', 'node build'],
		['docs/contributing.md', 'npx vitest run src'],
	],
	/** `npm test`, as what builds is slow */
	'tests/docs/docs-demo.test.ts': [['README.md', 'npm install && npm run demo']],
	/** `npm run test:long` */
	'tests/operations/dev.long.ts': [['README.md', 'npm run dev']],
	/** `npm run test:system`: what needs programs of Debian's, or npm's registry */
	'tests/system/docs-commands.system.ts': [
		['README.md', 'npm install && npm run demo'],
		['README.md', '{"name": "signup", "properties"'],
		['docs/stream.md', 'curl -N'],
		['README.md', 'cp .env.example .env'],
		['docs/contributing.md', 'npm run test:faults'],
		['docs/contributing.md', 'npm run test:fuzz'],
		['docs/contributing.md', 'npm run test:wire'],
		['docs/sending-events.md', `-d '{"name": "order"`],
		['docs/sending-events.md', `-d '[`],
		['docs/upgrading.md', 'git pull'],
	],
	/** `npm run test:system`: on a machine of one's own, from its first account to a backup */
	'tests/system/docs-machine.system.ts': [
		['docs/sending-events.md', `-d '{"name": "order"`],
		['docs/deploy/vm.md', 'sudo adduser'],
		['docs/deploy/vm.md', 'git clone'],
		['docs/deploy/vm.md', 'createuser'],
		['docs/deploy/vm.md', '<the one from before>'],
		// these are marked: what stands in for systemd there is a few lines
		['docs/deploy/vm.md', 'systemctl enable --now nowboard@3000'],
		['docs/deploy/vm.md', 'systemctl enable --now nowboard@3001'],
		['docs/deploy/vm.md', 'systemctl restart'],
		['docs/deploy/vm.md', 'systemd-run'],
		['docs/checklist.md', 'curl -sI https'],
		['docs/checklist.md', 'curl -sI --http2'],
		['docs/checklist.md', 'curl -N'],
		['docs/operations.md', 'npm run doctor'],
		['docs/operations.md', 'node build/doctor.js'],
		['docs/operations.md', 'pg_dump'],
		['docs/operations.md', 'pg_restore'],
		['docs/deploy/railway.md', 'node build/doctor.js'],
	],
} as const satisfies Record<string, readonly Planned[]>;

/** Run by what is not a test of a command: the file that says it, word for word. */
export const RUN_BY: Record<string, string> = {
	'npm install && npm test': '.ci/run',
	// it would run itself
	'npm run test:system': 'scripts/test-system.ts',
	'npm run test:quick': 'scripts/test-quick.ts',
	'npm run test:long': 'scripts/test-long.ts',
	'npm run release -- --version 1.2.3': 'scripts/release.ts',
	'npm run test:repeat -- --times 5 --busy 2 --save': 'scripts/testing/repeat-report.ts',
};

/** What a marked command needs; one that needs nothing of it can be run. */
export const BEYOND: readonly (readonly [RegExp, string])[] = [
	[/\bdocker\b/, 'a container engine'],
	[/\bfly\b/, 'an account at Fly.io'],
	[/\brailway\b/, 'an account at Railway'],
	[/\b(systemctl|journalctl|systemd-run)\b/, 'systemd'],
	[/^npm run (bench:[a-z]+|rehearse|looks)\b/, 'minutes, or hours'],
];

export type Runner = keyof typeof RUN;

const toTitle = ({ page, line, code }: Command) => `${page}:${line}: ${code.split('\n')[0]}`;

/** Throws when there is none, or more than one. The same in several places of a page counts as one. */
export function findPlanned(commands: readonly Command[], [page, words]: Planned): Command {
	const found = commands.filter((one) => one.page === page && one.code.includes(words));
	const [first] = found;
	if (!first) throw new Error(`${page}: no command has "${words}".`);
	const other = found.find(({ code }) => code !== first.code);
	if (other) throw new Error(`"${words}" stands in ${toTitle(first)} and in ${toTitle(other)}.`);
	return first;
}

/** The first line of each, with where it stands, that is neither run nor rightly marked. */
export function findUncovered(pages: readonly Page[], runs: readonly Planned[]): string[] {
	const commands = findCommands(pages);
	const run = runs.map((one) => findPlanned(commands, one).code).concat(Object.keys(RUN_BY));
	const isBeyond = ({ code }: Command) => BEYOND.some(([needs]) => needs.test(code));
	const marked = commands.filter((one) => one.marked && isBeyond(one)).map(({ code }) => code);
	const known = [...run, ...marked];
	const lines = known.flatMap(toCommandLines);
	const isCovered = ({ kind, code }: Command) =>
		known.includes(code) || (kind === 'inline' && lines.some((line) => isBeginning(code, line)));
	return commands.filter((one) => !isCovered(one)).map(toTitle);
}

/** What a test has of the pages: the text of a command, for the words by which the plan calls it. */
export function createTaker(runner: Runner) {
	const commands = findCommands(readPages());
	const planned: readonly Planned[] = RUN[runner];
	const taken = new Set<Planned>();
	return {
		/** Throws when it is not in the plan of this file. */
		take(page: string, words: string): string {
			const one = planned.find((each) => each[0] === page && each[1] === words);
			if (!one) throw new Error(`The plan of ${runner} has no "${words}" of ${page}.`);
			taken.add(one);
			return findPlanned(commands, one).code;
		},
		/** What the plan says and this file has not done. */
		untaken: () => planned.filter((one) => !taken.has(one)),
	};
}
