/** Reads from the JSON reports of the two runners how many tests passed, and which failed. A missing report is a failure. */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** `failed`: file, name and the first line of why, of each. */
export type Counts = { passed: number; failed: string[]; skipped: number };

const NO_REPORT: Counts = { passed: 0, failed: ['there is no report of the tests'], skipped: 0 };

// eslint-disable-next-line no-control-regex
const COLOURS = /\u001b\[[0-9;]*m/g;

function describe(path: string, name: string, message = ''): string {
	const why = message.replace(COLOURS, '').trim().split('\n')[0] ?? '';
	return [relative('.', path), name, why].filter((part) => part !== '').join(' › ');
}

/** Suites that could not be loaded have no tests; they count as one failure each. */
export function countVitest(path: string): Counts {
	if (!existsSync(path)) return NO_REPORT;
	const report = JSON.parse(readFileSync(path, 'utf8')) as {
		numPassedTests: number;
		numPendingTests: number;
		numTodoTests: number;
		testResults: {
			name: string;
			status: string;
			message: string;
			assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
		}[];
	};
	return {
		passed: report.numPassedTests,
		failed: report.testResults.flatMap(({ name, status, message, assertionResults }) => {
			const failed = assertionResults.filter((test) => test.status === 'failed');
			if (status === 'failed' && failed.length === 0) return [describe(name, '', message)];
			return failed.map((test) => describe(name, test.fullName, test.failureMessages[0]));
		}),
		skipped: report.numPendingTests + report.numTodoTests,
	};
}

type Suite = {
	suites?: Suite[];
	specs?: {
		title: string;
		file: string;
		line: number;
		tests: { status: string; results: { error?: { message?: string } }[] }[];
	}[];
};

/** A test that passed only on a second try has failed. */
export function countPlaywright(path: string): Counts {
	if (!existsSync(path)) return NO_REPORT;
	const report = JSON.parse(readFileSync(path, 'utf8')) as {
		config: { rootDir: string };
		suites: Suite[];
		errors: { message?: string }[];
		stats: { expected: number; skipped: number };
	};
	const specs = (suite: Suite): NonNullable<Suite['specs']> => [
		...(suite.specs ?? []),
		...(suite.suites ?? []).flatMap(specs),
	];
	const failed = specs(report).flatMap(({ title, file, line, tests }) =>
		tests
			.filter(({ status }) => status === 'unexpected' || status === 'flaky')
			.map(({ results }) => {
				const { message } = results.find(({ error }) => error)?.error ?? {};
				return describe(`${report.config.rootDir}/${file}:${line}`, title, message);
			}),
	);
	return {
		passed: report.stats.expected,
		failed: [...failed, ...report.errors.map(({ message }) => describe('', '', message))],
		skipped: report.stats.skipped,
	};
}
