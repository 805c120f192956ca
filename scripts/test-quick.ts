/** `npm run test:quick`: lint, types and units at the same time; no database, no browser, no build. About half a minute. */
import { runStep, type Step } from './testing/step';

const NODE_MODULES = 'node_modules';
const STEPS: Step[] = [
	{
		title: 'prettier',
		command: [
			...['node', `${NODE_MODULES}/prettier/bin/prettier.cjs`, '--check', '.', '--cache'],
			...['--cache-strategy', 'content'],
		],
	},
	{
		title: 'eslint',
		command: [
			...['node', `${NODE_MODULES}/eslint/bin/eslint.js`, '.', '--cache'],
			...['--cache-strategy', 'content', '--cache-location', `${NODE_MODULES}/.cache/eslint/`],
		],
	},
	{ title: 'plain words', command: ['npm', 'run', '--silent', 'words'] },
	{ title: 'types', command: ['npm', 'run', '--silent', 'check'] },
	{
		title: 'units (vitest)',
		command: [
			'node',
			`${NODE_MODULES}/vitest/vitest.mjs`,
			'run',
			'--config=vitest.quick.config.ts',
		],
	},
];

try {
	const succeeded = await Promise.all(STEPS.map((step) => runStep({ ...step, collect: true })));
	const failed = STEPS.filter((_, i) => !succeeded[i]).map(({ title }) => title);
	console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}.` : '\nAll passed.');
	process.exitCode = failed.length > 0 ? 1 : 0;
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}
