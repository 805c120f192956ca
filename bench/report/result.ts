/**
 * What a benchmark found, kept as data (docs/results/data) and written as a page (docs/results/performance.md) with plots:
 * no figure of it is typed by hand. Each benchmark replaces its own part.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { toPlot, type Plot } from './plot';

export type Table = { caption: string; columns: string[]; rows: (string | number)[][] };
export type Result = {
	/** name of the command without `bench:`; also of the file */
	name: string;
	title: string;
	/** what was asked, in a sentence or two */
	question: string;
	tables: Table[];
	plots?: Plot[];
	notes?: string[];
};
type Kept = Result & { command: string; at: string; machine: string };

const RESULTS = 'docs/results';
const DATA = join(RESULTS, 'data');
const ORDER = [
	'latency',
	'fanout',
	'against',
	'views',
	'peers',
	'matrix',
	'connections',
	'ingest',
	'replay',
	'storm',
	'page',
	'render',
	'feed',
	'tick',
	'recovery',
	'start',
	'bulk',
	'slow',
	'abuse',
	'history',
	'presence',
];

const PREFACE = `# Performance

Written by the benchmarks in \`bench/\` (each with \`--save\`); no figure is typed by hand. The load generator, the servers and Postgres shared
the machine. Delays are from the moment an event was handed over for writing (ours: before its INSERT is sent) to the moment its whole frame
was received, so they hold the commit too.`;

export function toMachine(): string {
	const model = cpus()[0]?.model.trim();
	const memory = Math.round(totalmem() / 2 ** 30);
	return `${cpus().length} cores (${model}), ${memory} GiB, Linux ${release().split('-')[0]}, Node ${process.version.slice(1)}`;
}

/** Prints it; with --save it also stores it and rebuilds the page. */
export function tell(result: Result): void {
	for (const { caption, columns, rows } of result.tables) {
		console.log(`\n${caption}`);
		console.table(
			rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]]))),
		);
	}
	for (const note of result.notes ?? []) console.log(note);
	if (!process.argv.includes('--save')) return;
	const given = process.argv.slice(2).filter((one) => one !== '--save');
	const command = [
		'npm run',
		`bench:${result.name}`,
		...(given.length > 0 ? ['--', ...given] : []),
	];
	const kept: Kept = {
		...result,
		command: command.join(' '),
		at: new Date().toISOString().slice(0, 16).replace('T', ' '),
		machine: toMachine(),
	};
	mkdirSync(DATA, { recursive: true });
	writeFileSync(join(DATA, `${result.name}.json`), `${JSON.stringify(kept, null, '\t')}\n`);
	writePage();
}

function writePage() {
	const all = readdirSync(DATA)
		.filter((name) => name.endsWith('.json'))
		.map((name) => JSON.parse(readFileSync(join(DATA, name), 'utf8')) as Kept)
		.sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
	const parts = all.map((kept) => {
		const plots = (kept.plots ?? []).map((plot, i) => {
			const file = `${kept.name}-${i + 1}.svg`;
			writeFileSync(join(RESULTS, file), toPlot(plot));
			return `![${plot.title}](${file})`;
		});
		const notes = (kept.notes ?? []).map((note) => `- ${note}`).join('\n');
		return [
			`## ${kept.title}`,
			kept.question,
			toOrigin(kept),
			...kept.tables.map(toMarkdown),
			...plots,
			...(notes ? [notes] : []),
		].join('\n\n');
	});
	writeFileSync(join(RESULTS, 'performance.md'), [PREFACE, ...parts].join('\n\n') + '\n');
	for (const name of readdirSync('docs').filter((name) => name.endsWith('.md')))
		writeInto(join('docs', name), all);
}

/** Other pages show a benchmark's tables between `<!-- bench:name -->` and `<!-- /bench -->`. */
function writeInto(file: string, all: Kept[]) {
	const before = readFileSync(file, 'utf8');
	const after = before.replace(
		/<!-- bench:(\w+) -->[\s\S]*?<!-- \/bench -->/g,
		(whole, name: string) => {
			const kept = all.find((one) => one.name === name);
			if (!kept) return whole;
			const parts = [...kept.tables.map(toMarkdown), toOrigin(kept)];
			return `<!-- bench:${name} -->\n<!-- prettier-ignore-start -->\n\n${parts.join('\n\n')}\n\n<!-- prettier-ignore-end -->\n<!-- /bench -->`;
		},
	);
	if (after !== before) writeFileSync(file, after);
}

const toOrigin = ({ command, at, machine }: Kept) => `\`${command}\` · ${at} UTC · ${machine}`;

function toMarkdown({ caption, columns, rows }: Table): string {
	const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
	const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'));
	return [`**${caption}**`, '', line(columns), line(rule), ...rows.map(line)].join('\n');
}
