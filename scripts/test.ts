/**
 * `npm test`: everything that can be verified, one step after another, stopping at the first that fails. Ends with
 * one line, `N passed, N failed`, over all tests. A step that fails without a test counts as one failure; a skipped test
 * fails its step, because it proves nothing.
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
const STEPS: (Step & { count?: () => Counts })[] = [
	{ title: 'lint', command: npm('lint') },
	{ title: 'check', command: npm('check') },
	{ title: 'build', command: npm('build') },
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
let failed = 0;
try {
	process.env.CHROMIUM_PATH = ensureChromium();
	for (const step of STEPS) {
		const succeeded = await runStep(step);
		const counts = step.count?.() ?? { passed: 0, failed: 0, skipped: 0 };
		passed += counts.passed;
		failed += counts.failed;
		if (counts.skipped > 0) console.error(`${counts.skipped} tests were skipped.`);
		if (succeeded && counts.failed === 0 && counts.skipped === 0) continue;
		console.error(`\nThe step "${step.title}" failed.`);
		failed = Math.max(failed, 1);
		break;
	}
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	failed = Math.max(failed, 1);
} finally {
	rmSync(reports, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
