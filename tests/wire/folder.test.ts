import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FOLDER, NOT_OURS, TESTED_IN } from './folder';
import { PARSING } from './parsing';
import { SERVER } from './server';
import { STORE } from './store';

const rows = [...PARSING, ...STORE, ...SERVER].map(({ wpt }) => wpt);

test('every file of the web-platform tests is a row, tested elsewhere, or not ours for a reason', () => {
	const known = [...rows, ...Object.keys(TESTED_IN), ...Object.keys(NOT_OURS)];
	expect([...new Set(known)].sort()).toEqual([...FOLDER].sort());
});

test('what is not ours is in no table', () => {
	expect(Object.keys(NOT_OURS).filter((wpt) => rows.includes(wpt) || wpt in TESTED_IN)).toEqual([]);
});

test.each(Object.entries(TESTED_IN))('%s has its test where the list says', (_, [file, name]) => {
	expect(readFileSync(file, 'utf8')).toContain(`test('${name}'`);
});
