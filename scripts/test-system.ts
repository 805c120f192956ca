/**
 * `npm run test:system`: tests that need programs which npm does not bring (`npm test` needs npm only). A program that is
 * missing fails the run with the command that installs it; nothing is skipped.
 */
import { runStep } from './testing/step';
import { assertPrograms } from './testing/system-programs';

const VITEST = [
	'node',
	'node_modules/vitest/vitest.mjs',
	'run',
	'--config',
	'vitest.system.config.ts',
];

try {
	assertPrograms();
	const succeeded =
		(await runStep({ title: 'build', command: ['npm', 'run', '--silent', 'build'] })) &&
		(await runStep({ title: 'system (vitest)', command: [...VITEST, ...process.argv.slice(2)] }));
	process.exitCode = succeeded ? 0 : 1;
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}
