import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
	for (const count of [countVitest, countPlaywright])
		expect(count('/nowhere.json')).toEqual({
			passed: 0,
			failed: [expect.stringContaining('no report')],
			skipped: 0,
		});
});

test('a file that could not be loaded counts as a failure, a test left out as skipped', () => {
	const file = { name: resolve('src/a.test.ts'), message: '' };
	const path = report({
		numPassedTests: 5,
		numFailedTests: 1,
		numPendingTests: 1,
		numTodoTests: 1,
		testResults: [
			{ ...file, status: 'passed', assertionResults: [{ status: 'passed' }] },
			{
				...file,
				status: 'failed',
				assertionResults: [
					{
						status: 'failed',
						fullName: 'adds up',
						failureMessages: ['\u001b[31m1 is not 2\n  at'],
					},
				],
			},
			{ ...file, status: 'failed', message: 'no such module', assertionResults: [] },
		],
	});
	expect(countVitest(path)).toEqual({
		passed: 5,
		failed: ['src/a.test.ts › adds up › 1 is not 2', 'src/a.test.ts › no such module'],
		skipped: 2,
	});
});

test('a test that passed only on a second try has failed, and so has what goes wrong around the tests', () => {
	const spec = (title: string, status: string, ...results: object[]) => ({
		title,
		file: 'a.spec.ts',
		line: 7,
		tests: [{ status, results }],
	});
	const error = { message: 'Error: not seen\n more' };
	const path = report({
		config: { rootDir: resolve('tests/e2e') },
		suites: [
			{
				specs: [spec('one', 'expected', {}), spec('two', 'unexpected', { error })],
				suites: [{ specs: [spec('three', 'flaky', { error }, {})] }],
			},
		],
		errors: [{ message: 'no browser' }],
		stats: { expected: 3, skipped: 0 },
	});
	expect(countPlaywright(path)).toEqual({
		passed: 3,
		failed: [
			'tests/e2e/a.spec.ts:7 › two › Error: not seen',
			'tests/e2e/a.spec.ts:7 › three › Error: not seen',
			'no browser',
		],
		skipped: 0,
	});
});

test('a step says whether its command succeeded', async () => {
	const step = (code: number) => ({
		title: 'a step',
		command: ['node', '-e', `process.exit(${code})`],
	});
	expect(await runStep(step(0))).toBe(true);
	expect(await runStep(step(3))).toBe(false);
});
