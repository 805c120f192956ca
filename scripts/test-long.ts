/**
 * `npm run test:long [-- looks tests properties views wire faults fuzz system]`: what takes minutes and has a short form in `npm test`. All of it
 * takes hours; names choose parts. Goes on after a part that fails, and names those at the end.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium } from './testing/browser';
import { runStep, type Step } from './testing/step';

const npm = (script: string) => ['npm', 'run', '--silent', script];
const PARTS: Record<string, Step> = {
	looks: {
		title:
			'looks: every state of the page, as pictures; broken globals, alone and in pairs (Playwright)',
		command: [
			...['node', 'node_modules/@playwright/test/cli.js', 'test'],
			...['--config', 'playwright.long.config.ts'],
		],
	},
	tests: {
		title: 'tests: vite dev (vitest)',
		command: ['node', 'node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.long.config.ts'],
	},
	properties: {
		title: 'properties: other cases than those of npm test, and up to ten times as many (vitest)',
		command: ['node', 'node_modules/vitest/vitest.mjs', 'run', ...findProperties()],
	},
	views: {
		title: 'views: ten thousand live queries against SQL, and against counting again (vitest)',
		command: [
			...['env', 'VIEW_CASES=400', 'VIEW_RUNS=10000'],
			...['node', 'node_modules/vitest/vitest.mjs', 'run', '--testTimeout', '3600000'],
			...['tests/delivery/views.test.ts', 'src/lib/server/live/view.test.ts'],
		],
	},
	wire: { title: 'wire: a million messages', command: npm('test:wire') },
	faults: { title: 'faults: delivery under twenty faults', command: npm('test:faults') },
	fuzz: { title: 'fuzz: a million requests', command: npm('test:fuzz') },
	system: { title: 'system: beside nginx, Caddy and PgBouncer', command: npm('test:system') },
};

// for fast-check, which prints the seed of a failure
process.env.FC_SEED ??= 'random';

/** Tests with property-based ones among them. */
function findProperties(): string[] {
	return ['src', 'tests'].flatMap((folder) =>
		readdirSync(folder, { recursive: true, encoding: 'utf8' })
			.map((name) => join(folder, name))
			.filter((path) => path.endsWith('.test.ts'))
			.filter((path) => readFileSync(path, 'utf8').includes('setup/fast-check')),
	);
}

const chosen = process.argv.slice(2);
const failed: string[] = [];
try {
	const unknown = chosen.filter((name) => !(name in PARTS));
	if (unknown.length > 0)
		throw new Error(
			`There is no part ${unknown.join(', ')}. The parts: ${Object.keys(PARTS).join(', ')}.`,
		);
	process.env.CHROMIUM_PATH = ensureChromium();
	if (!(await runStep({ title: 'build', command: npm('build') })))
		throw new Error('The build failed.');
	for (const [name, step] of Object.entries(PARTS)) {
		if (chosen.length > 0 && !chosen.includes(name)) continue;
		if (!(await runStep(step))) failed.push(name);
	}
	console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}.` : '\nAll passed.');
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	failed.push('start');
}
process.exitCode = failed.length > 0 ? 1 : 0;
