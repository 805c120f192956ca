/**
 * Finds the quick tests: those that start no program, neither directly nor through a file they import. No test is marked by
 * hand: what needs Postgres, a browser or a server imports what starts it. And those that replace modules, which therefore
 * share none with other files.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const FOLDERS = ['src', 'scripts', 'tests', 'bench'];
/** `inject` hands a test the Postgres of the run. */
const STARTS_A_PROGRAM =
	/^import (?!type)[^;]*? from '(?:node:child_process|playwright|@playwright\/test)'|\binject\(/m;
const IMPORT = /^(?:import|export) (?!type)[^;]*? from '((?:\.|\$lib\/)[^']+)'/gm;

/** @returns paths of test files under `root`, sorted */
export function findQuickTests(root = '.'): string[] {
	const found = new Map<string, boolean>();
	return findTests(root, (path) => !startsProgram(path, root, found));
}

/** @returns paths of test files under `root` that replace modules, sorted */
export const findMockingTests = (root = '.'): string[] =>
	findTests(root, (path) => /^\s*vi\.(do)?[mM]ock\(/m.test(readFileSync(path, 'utf8')));

function findTests(root: string, isWanted: (path: string) => boolean): string[] {
	return FOLDERS.filter((folder) => existsSync(join(root, folder)))
		.flatMap((folder) =>
			readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
				.filter(({ name }) => name.endsWith('.test.ts') && !name.endsWith('.svelte.test.ts'))
				.map(({ parentPath, name }) => join(parentPath, name)),
		)
		.filter(isWanted)
		.map((path) => relative(root, path))
		.sort();
}

function startsProgram(path: string, root: string, found: Map<string, boolean>): boolean {
	const before = found.get(path);
	if (before !== undefined) return before;
	// two files may import each other
	found.set(path, false);
	const text = readFileSync(path, 'utf8');
	const starts =
		STARTS_A_PROGRAM.test(text) ||
		[...text.matchAll(IMPORT)].some(([, name = '']) => {
			const file = toFile(name, path, root);
			return file !== undefined && startsProgram(file, root, found);
		});
	found.set(path, starts);
	return starts;
}

/** The source file of an import; undefined for anything else, such as a component. */
function toFile(name: string, from: string, root: string): string | undefined {
	const base = name.startsWith('$lib/')
		? join(root, 'src/lib', name.slice('$lib/'.length))
		: join(dirname(from), name);
	return [base, `${base}.ts`, `${base}.js`].find(
		(path) => /\.[jt]s$/.test(path) && existsSync(path),
	);
}
