/** What the README and .env.example say of the environment, made from src/lib/server/config/variables.ts. Pure. */
import { VARIABLES, type Variable } from '../../src/lib/server/config/variables';

const BEGIN = '<!-- written by `npm run docs` from src/lib/server/config/variables.ts -->';
const END = '<!-- end of the variables -->';
const LINE_LENGTH = 110;

const ALL = Object.entries(VARIABLES) as [name: string, variable: Variable][];
const MAIN = ALL.filter(([, { shown }]) => shown === undefined);
const RARE = ALL.filter(([, { shown }]) => shown === 'rare');

/** The same text with the tables between the two comments made anew; throws when they are missing. */
export function putVariables(readme: string): string {
	const [before, rest] = readme.split(`${BEGIN}\n`);
	const after = rest?.split(END)[1];
	if (before === undefined || after === undefined)
		throw new Error(`The README has no place for the variables: ${BEGIN} … ${END}`);
	const rare = `<details><summary>Variables that are rarely needed</summary>\n\n${toTable(RARE)}\n\n</details>`;
	return `${before}${BEGIN}\n\n${toTable(MAIN)}\n\n${rare}\n\n${END}${after}`;
}

/** As prettier writes a table, so that it has nothing to change. */
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
