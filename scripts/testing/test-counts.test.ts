import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runStep } from './step';
import { countPlaywright, countVitest } from './test-counts';

function report(value: unknown): string {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-counts-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	const path = join(folder, 'report.json');
	writeFileSync(path, JSON.stringify(value));
	return path;
}

test('a report that was never written is a failure', () => {
	expect(countVitest('/nowhere.json')).toEqual({ passed: 0, failed: 1, skipped: 0 });
	expect(countPlaywright('/nowhere.json')).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('a file that could not be loaded counts as a failure, a test left out as skipped', () => {
	const path = report({
		numPassedTests: 5,
		numFailedTests: 1,
		numPendingTests: 1,
		numTodoTests: 1,
		testResults: [
			{ status: 'passed', assertionResults: [{ status: 'passed' }] },
			{ status: 'failed', assertionResults: [{ status: 'failed' }] },
			{ status: 'failed', assertionResults: [] },
		],
	});
	expect(countVitest(path)).toEqual({ passed: 5, failed: 2, skipped: 2 });
});

test('a test that passed only on a second try has failed', () => {
	const path = report({ stats: { expected: 3, unexpected: 1, flaky: 1, skipped: 0 } });
	expect(countPlaywright(path)).toEqual({ passed: 3, failed: 2, skipped: 0 });
});

test('a step says whether its command succeeded', async () => {
	const step = (code: number) => ({
		title: 'a step',
		command: ['node', '-e', `process.exit(${code})`],
	});
	expect(await runStep(step(0))).toBe(true);
	expect(await runStep(step(3))).toBe(false);
});
