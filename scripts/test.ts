/**
 * `npm test`: everything that can be verified: lint, types and the build at the same time, and when these have succeeded, the
 * tests, one kind after the other, so that they do not slow each other down. Ends with what failed and one line, `N passed, N failed`, over all
 * tests. A step that fails without a test counts as one failure; a skipped test fails its step, because it proves nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureChromium } from './testing/browser';
import { runStep, type Step } from './testing/step';
import { countPlaywright, countVitest, type Counts } from './testing/test-counts';

const reports = mkdtempSync(join(tmpdir(), 'nowboard-reports-'));
const vitestReport = join(reports, 'vitest.json');
const playwrightReport = join(reports, 'playwright.json');

const npm = (script: string) => ['npm', 'run', '--silent', script];
type TestStep = Step & { count: () => Counts };
const CHECKS: Step[] = [
	{ title: 'build', command: npm('build'), collect: true },
	{ title: 'lint', command: npm('lint'), collect: true },
	{ title: 'check', command: npm('check'), collect: true },
];
const TESTS: TestStep[] = [
	{
		title: 'unit, integration and components (vitest)',
		command: [
			...['node', 'node_modules/vitest/vitest.mjs', 'run'],
			...['--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`],
		],
		count: () => countVitest(vitestReport),
	},
	{
		title: 'end to end (Playwright)',
		command: ['node', 'node_modules/@playwright/test/cli.js', 'test', '--reporter=list,json'],
		env: { PLAYWRIGHT_JSON_OUTPUT_FILE: playwrightReport },
		count: () => countPlaywright(playwrightReport),
	},
];

let passed = 0;
const failed: string[] = [];

async function runChecks(): Promise<boolean> {
	const ended = await Promise.allSettled(CHECKS.map(runStep));
	const succeeded = ended.map((one) => {
		if (one.status === 'rejected') throw one.reason;
		return one.value;
	});
	for (const [i, { title }] of CHECKS.entries()) if (!succeeded[i]) failed.push(title);
	return failed.length === 0;
}

async function runTests(step: TestStep): Promise<void> {
	const succeeded = await runStep(step);
	const counts = step.count();
	passed += counts.passed;
	if (counts.skipped > 0) console.error(`${counts.skipped} tests were skipped.`);
	failed.push(...counts.failed);
	// for another reason than a test: a limit, an error that no test caught
	if (counts.failed.length === 0 && !(succeeded && counts.skipped === 0)) failed.push(step.title);
}

try {
	process.env.CHROMIUM_PATH = ensureChromium();
	if (await runChecks()) for (const step of TESTS) await runTests(step);
} catch (error) {
	failed.push(error instanceof Error ? error.message : String(error));
} finally {
	rmSync(reports, { recursive: true, force: true });
}
if (failed.length > 0) console.error(`\nFailed:\n${failed.map((one) => `- ${one}`).join('\n')}`);
console.log(`\n${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
