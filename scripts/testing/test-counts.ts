/** Reads how many tests passed from the JSON reports of the two runners. A missing report is a failure. */
import { existsSync, readFileSync } from 'node:fs';

export type Counts = { passed: number; failed: number; skipped: number };

const NO_REPORT: Counts = { passed: 0, failed: 1, skipped: 0 };

/** Suites that could not be loaded have no tests; they count as one failure each. */
export function countVitest(path: string): Counts {
	if (!existsSync(path)) return NO_REPORT;
	const report = JSON.parse(readFileSync(path, 'utf8')) as {
		numPassedTests: number;
		numFailedTests: number;
		numPendingTests: number;
		numTodoTests: number;
		testResults: { status: string; assertionResults: { status: string }[] }[];
	};
	const broken = report.testResults.filter(
		({ status, assertionResults }) =>
			status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
	);
	return {
		passed: report.numPassedTests,
		failed: report.numFailedTests + broken.length,
		skipped: report.numPendingTests + report.numTodoTests,
	};
}

export function countPlaywright(path: string): Counts {
	if (!existsSync(path)) return NO_REPORT;
	const { stats } = JSON.parse(readFileSync(path, 'utf8')) as {
		stats: { expected: number; unexpected: number; flaky: number; skipped: number };
	};
	return {
		passed: stats.expected,
		failed: stats.unexpected + stats.flaky,
		skipped: stats.skipped,
	};
}
