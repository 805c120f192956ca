import { expect, test } from 'vitest';
import {
	findAbuseProblems,
	HEAP_LEFT,
	MAX_P99_MS,
	RESIDENT_LEFT,
	type Abused,
} from './abuse-verdict';

const well: Abused = {
	p99: MAX_P99_MS,
	missing: 0,
	twice: 0,
	wrong: [],
	rows: { bench: 3, honest: 2 },
	due: { bench: 3, honest: 2 },
	unexplained: [],
	heap: { before: 1, after: 1 + HEAP_LEFT },
	resident: { before: 1, after: 1 + RESIDENT_LEFT },
	sent: 1,
};

test('the bound for p99 is 150 ms', () => {
	expect(MAX_P99_MS).toBe(150);
});

test('finds nothing in a run within every bound', () => {
	expect(findAbuseProblems(well)).toEqual([]);
});

const WRONGS: [wrong: Partial<Abused>, says: string][] = [
	[{ p99: 150.1 }, 'p99 of the viewers is 150.1 ms: at most 150 ms'],
	[{ p99: NaN }, 'p99'],
	[{ missing: 1 }, 'not seen'],
	[{ twice: 1 }, 'twice'],
	[{ wrong: ['/ was answered 503, not 200'] }, '503'],
	[{ rows: { ...well.rows, sql: 1 } }, 'source "sql"'],
	[{ rows: { bench: 3 } }, 'source "honest"'],
	[{ unexplained: ['sessions changed by 1'] }, 'sessions'],
	[{ heap: { before: 1, after: 2 + HEAP_LEFT } }, 'heap'],
	[{ resident: { before: 1, after: NaN } }, 'resident'],
	[{ sent: 0 }, 'nothing'],
];
test.each(WRONGS)('(control) finds %j', (wrong, says) => {
	expect(findAbuseProblems({ ...well, ...wrong })).toEqual([expect.stringContaining(says)]);
});
