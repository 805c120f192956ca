/** The runs of `npm run test:repeat` as a table, and the page that keeps them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, type } from 'node:os';

/** `busy`: loops that kept a core busy each */
export type Run = { busy: number; passed: boolean; result: string; minutes: number };

const PAGE = 'docs/results/tests.md';
const HEAD = `# Runs of the tests

Each run is a fresh clone and \`npm install && npm test\`. Written by \`npm run test:repeat -- --times 5 --busy 2 --save\`.
Busy: so many processes ran an endless loop meanwhile.
`;

export function toTable(runs: readonly Run[]): string {
	const rows = [
		['run', 'busy', 'result', 'minutes'],
		['---', '---', '---', '---'],
		...runs.map(({ busy, passed, result, minutes }, i) => [
			String(i + 1),
			String(busy),
			passed ? result : `**${result}**`,
			minutes.toFixed(1),
		]),
	];
	const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
	return rows
		.map((row) => {
			const cells = row.map((cell, i) =>
				cell === '---' ? cell.padEnd(widths[i] ?? 0, '-') : cell.padEnd(widths[i] ?? 0),
			);
			return `| ${cells.join(' | ')} |`;
		})
		.join('\n');
}

/** The page with one more table. Pure. */
export function addRuns(page: string, runs: readonly Run[], machine: string, date: Date): string {
	return `${page.trimEnd()}\n\n${date.toISOString().slice(0, 10)}, ${machine}:\n\n${toTable(runs)}\n`;
}

export function saveRuns(runs: readonly Run[]): void {
	const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : HEAD;
	const gigabytes = Math.round(totalmem() / 2 ** 30);
	const machine = `${cpus().length} cores, ${gigabytes} GiB, ${type()}, Node ${process.versions.node}`;
	writeFileSync(PAGE, addRuns(page, runs, machine, new Date()));
}
