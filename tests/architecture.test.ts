import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';

/** One rule of the design: which files it is for, what breaks it, and a file that would. */
type Rule = {
	promise: string;
	appliesTo: (path: string) => boolean;
	breaks: (file: SourceFile) => boolean;
	/** negative controls: path and source of files that the rule must refuse */
	refused: [path: string, source: string][];
};

type SourceFile = { path: string; code: string; imports: string[] };

const SERVER = 'src/lib/server/';
const isTest = (path: string) => /\.test\.ts$/.test(path) || /\/testing\//.test(path);
const isIn = (folder: string) => (path: string) => path.startsWith(folder) && !isTest(path);
const isSource = isIn('src/');
const importsOwn = ({ imports }: SourceFile) =>
	imports.some((name) => name.startsWith('src/') || name.startsWith('$'));
const imports = (pattern: RegExp) => (file: SourceFile) =>
	file.imports.some((name) => pattern.test(name));
const says = (pattern: RegExp) => (file: SourceFile) => pattern.test(file.code);
/** As `says`, but what stands in a text, an example for readers for instance, does not count. */
const does = (pattern: RegExp) => (file: SourceFile) =>
	pattern.test(file.code.replace(/`[^`]*`|'[^'\n]*'/g, '``'));
const either =
	(...rules: ((file: SourceFile) => boolean)[]) =>
	(file: SourceFile) =>
		rules.some((breaks) => breaks(file));

/**
 * The rooms of the server, and the rooms that each may import. Files named here are exceptions.
 * What comes in (http, keys, ingest) and what goes out (reader, live, stream) never import each other: they meet in Postgres.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
	monitoring: ['ignored', 'stream', 'relay', 'ingest', 'db'],
	ingest: ['ignored', 'keys', 'http', 'db'],
	ignored: [],
	stream: ['presence', 'live', 'relay', 'reader', 'db'],
	relay: ['reader', 'db'],
	presence: ['live/dimension-values', 'live/match-row', 'db'],
	moment: ['history/event-groups', 'history/range-tables', 'reader', 'live', 'db'],
	history: [
		'reader/cursor',
		'reader/row',
		'reader/rows',
		'live/dimension-values',
		'live/match-row',
		'db',
	],
	live: ['reader', 'db'],
	reader: ['db'],
	migrations: ['db'],
	access: ['http', 'db'],
	keys: ['http', 'db'],
	http: ['db/json-limits'],
	db: ['config/database-url', 'config/database-tls', 'config/url-fault'],
	config: ['db/own-schema'],
};
/** Files at the server's root that every room may import. */
const SHARED = ['copy-string'];

const roomOf = (path: string) => path.slice(SERVER.length).split('/')[0] ?? '';

/** Whether the file imports a room that its own room may not. */
function leavesItsRoom({ path, imports }: SourceFile): boolean {
	const room = roomOf(path);
	return imports
		.filter((name) => name.startsWith(SERVER))
		.map((name) => name.slice(SERVER.length).replace(/\.(ts|js)$/, ''))
		.some(
			(name) =>
				!name.startsWith(`${room}/`) &&
				!SHARED.includes(name) &&
				!ROOMS[room]?.some((allowed) => name === allowed || name.startsWith(`${allowed}/`)),
		);
}

const PURE = [
	'src/lib/protocol.ts',
	'src/lib/history.ts',
	'src/lib/ingest-limits.ts',
	'src/lib/format.ts',
	'src/lib/path.ts',
	'src/lib/stores/backoff.ts',
	`${SERVER}reader/cursor.ts`,
	`${SERVER}stream/sse.ts`,
];
const ENVIRONMENT = [`${SERVER}config/env.ts`, 'src/hooks.server.ts', 'src/entry.server.ts'];
const mayImportServer = (path: string) =>
	path.startsWith(SERVER) ||
	/\.server\.(ts|js)$|\/\+server\.ts$/.test(path) ||
	path === 'src/app.d.ts';

const RULES: Rule[] = [
	{
		promise:
			'protocol, history, ingest-limits, format, path, backoff, cursor and sse import nothing of ours',
		appliesTo: (path) => PURE.includes(path),
		breaks: importsOwn,
		refused: [
			[`${SERVER}stream/sse.ts`, "import type { Tick } from '../../protocol';"],
			['src/lib/format.ts', "export { x } from '$lib/stores/backoff';"],
		],
	},
	{
		promise: 'components import no store and no $app, and fetch nothing',
		appliesTo: isIn('src/lib/components/'),
		breaks: either(
			imports(/^src\/lib\/stores\/|^\$app/),
			does(/\bfetch\s*\(|\bEventSource\s*\(|\bXMLHttpRequest\b/),
		),
		refused: [
			[
				'src/lib/components/Card.svelte',
				"<script>import { board } from '../stores/board';</script>",
			],
			['src/lib/components/Card.svelte', "<script>import { page } from '$app/state';</script>"],
			['src/lib/components/Card.svelte', "<script>await fetch('/api/events');</script>"],
		],
	},
	{
		promise: 'the tracker, which runs on other people’s pages, imports nothing but itself',
		appliesTo: isIn('src/lib/tracker/'),
		breaks: ({ imports }) => imports.some((name) => !name.startsWith('src/lib/tracker/')),
		refused: [
			['src/lib/tracker/page.ts', "import { PAGE_VIEW } from '../protocol';"],
			['src/lib/tracker/page.ts', "import { writable } from 'svelte/store';"],
		],
	},
	{
		promise: 'EventSource is constructed in one place',
		appliesTo: (path) => isSource(path) && path !== 'src/lib/stores/environment.ts',
		breaks: says(/\bnew EventSource\s*\(/),
		refused: [['src/routes/+page.svelte', "<script>new EventSource('/api');</script>"]],
	},
	{
		promise: 'the environment is read in one place and handed over in another',
		appliesTo: (path) => isSource(path) && !ENVIRONMENT.includes(path),
		breaks: either(says(/\bprocess\.env\b|\bimport\.meta\.env\b/), imports(/^\$env/)),
		refused: [
			[`${SERVER}db/connect.ts`, 'const url = process.env.DATABASE_URL;'],
			['src/routes/+page.server.ts', "import { env } from '$env/dynamic/private';"],
		],
	},
	{
		promise: 'SSE syntax is written in one place',
		appliesTo: (path) => isSource(path) && path !== `${SERVER}stream/sse.ts`,
		breaks: says(/text\/event-stream|(['"`]|\\n)(data|event|id|retry): ?(\$\{|\\n|['"`])/),
		refused: [
			[`${SERVER}stream/ring.ts`, 'const frame = `data: ${json}\\n\\n`;'],
			['src/routes/api/+server.ts', "const headers = { 'content-type': 'text/event-stream' };"],
			[`${SERVER}stream/ring.ts`, "text += '\\nid: ' + id;"],
		],
	},
	{
		promise: 'SQL names tables with the schema that its client knows',
		appliesTo: (path) => isIn(SERVER)(path) || path.startsWith('scripts/'),
		breaks: says(
			/\b(from|join|into|update|truncate|table)\s+(only\s+)?(nowboard\.|public\.)?(events|meta|metrics_snapshots|rollups|rollup_state|presence|presence_beats|retention_state|deletions|ingest_keys|sessions|share_links|audit)\b(?!\.)[^']*`/i,
		),
		refused: [
			[`${SERVER}reader/rows.ts`, 'await sql`select id from events`;'],
			[`${SERVER}reader/rows.ts`, 'await sql`INSERT INTO nowboard.audit (action) VALUES (1)`;'],
			['scripts/keys.ts', 'await sql`update meta set value = 1`;'],
		],
	},
	{
		promise: 'LISTEN is said in one place',
		appliesTo: (path) =>
			isIn(SERVER)(path) &&
			![`${SERVER}reader/listener.ts`, `${SERVER}http/server.ts`].includes(path),
		breaks: says(/\.listen\s*\(|`\s*LISTEN\s/i),
		refused: [
			[`${SERVER}reader/drain.ts`, "await sql.listen('nowboard', ring);"],
			[`${SERVER}reader/drain.ts`, 'await sql`LISTEN nowboard`;'],
		],
	},
	{
		promise: 'files of the server take what they need as parameters',
		appliesTo: isIn(SERVER),
		breaks: imports(/^src\/(hooks|routes)|^\$(app|env)/),
		refused: [
			[`${SERVER}stream/ring.ts`, "import { building } from '$app/environment';"],
			[`${SERVER}stream/ring.ts`, "import { init } from '../../../hooks.server';"],
			[`${SERVER}stream/ring.ts`, "const page = await import('../../../routes/+page.server');"],
		],
	},
	{
		promise: 'a room of the server imports only the rooms below it',
		appliesTo: (path) => isIn(SERVER)(path) && path.slice(SERVER.length).includes('/'),
		breaks: leavesItsRoom,
		refused: [
			// each allowed import, turned round
			...Object.entries(ROOMS).flatMap(([room, allowed]) =>
				allowed.map((below): [string, string] => [
					`${SERVER}${below.includes('/') ? below : `${below}/a`}.ts`,
					`import { a } from '../${room}/a';`,
				]),
			),
			// what comes in and what goes out
			[`${SERVER}ingest/a.ts`, "import { createRing } from '../stream/ring';"],
			[`${SERVER}reader/a.ts`, "import { createIngest } from '../ingest/group-commit';"],
			[`${SERVER}db/a.ts`, "import { startRuntime } from '../runtime';"],
			[`${SERVER}unknown/a.ts`, "import { withDeadline } from '../db/deadline';"],
		],
	},
	{
		promise: 'a room of the server holds at most twenty sources',
		appliesTo: (path) => path.startsWith(SERVER),
		breaks: ({ path }) => path.slice(SERVER.length).includes('/') && sourcesIn(roomOf(path)) > 20,
		refused: [],
	},
	{
		promise: 'nothing that reaches the browser imports the server',
		appliesTo: (path) => isSource(path) && !mayImportServer(path),
		breaks: imports(/^src\/lib\/server\//),
		refused: [
			['src/lib/stores/board.ts', "import { toRow } from '../server/reader/rows';"],
			[
				'src/routes/+page.svelte',
				"<script>import { toRow } from '$lib/server/reader/rows';</script>",
			],
		],
	},
];

describe.each(RULES)('$promise', ({ appliesTo, breaks, refused }) => {
	const files = sources().filter(({ path }) => appliesTo(path));

	test('holds', () => {
		expect(files.length, 'files that the rule is for').toBeGreaterThan(0);
		expect(files.filter(breaks).map(({ path }) => path)).toEqual([]);
	});

	test.each(refused)('would be broken by %s saying %s', (path, source) => {
		expect(appliesTo(path)).toBe(true);
		expect(breaks(toFile(path, source))).toBe(true);
	});
});

test('a comment breaks no rule', () => {
	const { code, imports } = toFile(
		'src/a.ts',
		"// fetch(x)\n/* import a from './b' */ const c = 1;",
	);
	expect([code.trim(), imports]).toEqual(['const c = 1;', []]);
});

function sourcesIn(room: string): number {
	return readdirSync(`${SERVER}${room}`, { withFileTypes: true }).filter(
		({ name }) => name.endsWith('.ts') && !isTest(name),
	).length;
}

function sources(): SourceFile[] {
	return readdirSync('src', { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && /\.(ts|js|svelte)$/.test(entry.name))
		.map((entry) => posix.join(entry.parentPath.replaceAll('\\', '/'), entry.name))
		.map((path) => toFile(path, readFileSync(path, 'utf8')));
}

function toFile(path: string, source: string): SourceFile {
	const code = source
		.replace(/<!--[\s\S]*?-->/g, '')
		.replace(/\/\*[\s\S]*?\*\//g, '')
		.replace(/(^|[\s;])\/\/.*$/gm, '$1');
	const found = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])(?<name>[^'"]+)\1/g);
	const imports = [...found].map((match) => toPath(path, match.groups?.name ?? ''));
	return { path, code, imports };
}

/** An import as a path from the project's root; packages and $app stay as they are. */
function toPath(from: string, name: string): string {
	if (name.startsWith('.')) return posix.join(posix.dirname(from), name);
	return name.replace(/^\$lib\//, 'src/lib/');
}
