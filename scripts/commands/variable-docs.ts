/** What docs/configuration.md and .env.example say of the environment, from src/lib/server/config/variables.ts. Pure. */
import { VARIABLES, type Variable } from '../../src/lib/server/config/variables';

const LINE_LENGTH = 110;

const ALL = Object.entries(VARIABLES) as [name: string, variable: Variable][];
const MAIN = ALL.filter(([, { shown }]) => shown === undefined);
const RARE = ALL.filter(([, { shown }]) => shown === 'rare');

/** The whole of docs/configuration.md. */
export function toConfiguration(): string {
	return [
		'# Configuration',
		'<!-- written by `npm run docs` from src/lib/server/config/variables.ts -->',
		'The server reads these environment variables when it starts. Invalid values stop the start, and all errors are listed at once. An\n' +
			'empty value counts as not set. `npm start`, `npm run dev` and the database commands also read `.env`.',
		toTable(MAIN),
		'## Rarely needed',
		toTable(RARE),
		'',
	]
		.join('\n\n')
		.replace(/\n+$/, '\n');
}

/** Formatted as prettier formats a table. */
function toTable(variables: typeof ALL): string {
	const rows = [
		['Variable', 'Default', 'Meaning'],
		...variables.map(([name, { unset, means }]) => [`\`${name}\``, unset, means]),
	];
	const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
	const toLine = (cells: string[]) => `| ${cells.join(' | ')} |`;
	const [head, ...body] = rows.map((row) =>
		toLine(row.map((text, column) => text.padEnd(widths[column]!))),
	);
	return [head, toLine(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

/** The whole of .env.example. */
export function toExample(): string {
	const entries = [...MAIN, ...RARE].map(([name, { means, unset, example }]) => {
		const otherwise = unset === '–' ? '' : ` Default: ${unset}`;
		return [
			...wrap(`${means[0]!.toUpperCase()}${means.slice(1)}.${otherwise}`),
			`${name}=${example}`,
		]
			.map((line) => `# ${line}`)
			.join('\n');
	});
	return `${HEAD}\n\n${entries.join('\n\n')}\n`;
}

const HEAD =
	'# Copy to .env; `npm start`, `npm run dev` and the db: commands read it. Variables that are set already win.\n' +
	'# `npm start` needs DATABASE_URL, and DASHBOARD_PASSWORD or DASHBOARD_PUBLIC. Written by `npm run docs`.';

function wrap(text: string): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of text.replaceAll('`', '').split(' ')) {
		if (line.length + word.length >= LINE_LENGTH) {
			lines.push(line);
			line = '';
		}
		line += line ? ` ${word}` : word;
	}
	return [...lines, line];
}
