import { expect, test } from 'vitest';
import { addRuns, toTable } from './repeat-report';

const runs = [
	{ busy: 0, passed: true, result: '1480 passed, 0 failed', minutes: 5.04 },
	{ busy: 2, passed: false, result: '900 passed, 1 failed', minutes: 12.3 },
];

test('a row for each run; a failed one stands out', () => {
	expect(toTable(runs)).toBe(
		[
			'| run | busy | result                   | minutes |',
			'| --- | ---- | ------------------------ | ------- |',
			'| 1   | 0    | 1480 passed, 0 failed    | 5.0     |',
			'| 2   | 2    | **900 passed, 1 failed** | 12.3    |',
		].join('\n'),
	);
});

test('later runs stand below earlier ones, with their machine and date', () => {
	const date = new Date('2026-03-14T12:00:00Z');
	const once = addRuns('# Runs\n', runs, '2 cores', date);
	expect(addRuns(once, runs, '4 cores', date)).toBe(
		`# Runs\n\n2026-03-14, 2 cores:\n\n${toTable(runs)}\n\n2026-03-14, 4 cores:\n\n${toTable(runs)}\n`,
	);
});
