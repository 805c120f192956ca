import { expect, test } from 'vitest';
import { HistoryError, verify } from './verify';
import type { Head } from './rows';
import { StandbyError } from '../db/errors';

const cursor = { epoch: 'e', last: 200n, holes: [100n] };
const head = (change: Partial<Head> = {}): Head => ({
	snapshot: { xmin: 100n, xmax: 300n, running: [] },
	at: 0,
	epoch: 'e',
	identity: '1/00000001/5/7',
	here: '1/00000001/5/7',
	deletedThrough: null,
	recount: false,
	...change,
});
const running = (running: bigint[]) => ({ snapshot: { xmin: 100n, xmax: 300n, running } });

test.each<[string, Partial<Head>, RegExp | null]>([
	['the same history', {}, null],
	['nothing deleted below the hole', { deletedThrough: 99n }, null],
	[
		'rows that were seen, while the hole is open',
		{ deletedThrough: 200n, ...running([100n]) },
		null,
	],
	['rows of what was a hole', { deletedThrough: 100n }, /through transaction 100 were deleted/],
	['rows beyond', { deletedThrough: 201n, ...running([100n]) }, /the cursor stands at 200/],
	['another epoch', { epoch: 'f' }, /the epoch is f/],
	['another timeline', { here: '1/00000002/5/7' }, /the database is 1\/00000002/],
	['another table', { here: '1/00000001/5/8' }, /the epoch was made for/],
	[
		'a database that has not come so far',
		{ snapshot: { xmin: 9n, xmax: 200n, running: [] } },
		/before 200/,
	],
])('a cursor after %s', (_, change, reason) => {
	const check = () => verify(head(change), cursor);
	if (reason === null) return expect(check).not.toThrow();
	expect(check).toThrow(HistoryError);
	expect(check).toThrow(reason);
});

test('a standby is refused by name, whatever else is true of it', () => {
	expect(() => verify(head({ here: '1/standby/5/7', epoch: 'f' }), cursor)).toThrow(StandbyError);
});
