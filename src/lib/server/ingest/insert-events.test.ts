import fc from '../../../../tests/setup/fast-check';
import { expect, test } from 'vitest';
import { createDatabase } from '../../../../tests/setup/database';
import { toLiteral, toTrouble } from './insert-events';

test('a literal is the text itself, whatever is in it and whatever standard_conforming_strings says', async () => {
	const { sql, drop } = await createDatabase();
	const hostile = [
		"'); DROP TABLE events; --",
		"\\'; SELECT 1; --",
		'\\',
		"''\\\\''",
		"E'\\n'",
		'$1 $$ ${}',
	];
	const generated = fc.sample(
		fc.string({ unit: fc.constantFrom("'", '\\', '"', 'n', 'x41', 'é', '🦊', '\n') }),
		{
			numRuns: 500,
			seed: 1,
		},
	);
	const texts = [...hostile, ...generated];
	for (const setting of ['on', 'off']) {
		const list = texts.map((text, i) => `(${i}, ${toLiteral(text)})`).join(',');
		const results: unknown = await sql
			.unsafe(
				`SET LOCAL standard_conforming_strings = ${setting};
				SELECT text FROM (VALUES ${list}) AS t (i, text) ORDER BY i`,
			)
			.simple();
		const rows = (results as { text: string }[][]).at(-1) ?? [];
		expect(rows.map(({ text }) => text)).toEqual(texts);
	}
	await drop();
});

test.each([
	['22P05', 'data'],
	['23514', 'data'],
	['40P01', 'lock'],
	['40001', 'lock'],
	['55P03', 'lock'],
	['57014', 'away'],
	['57P01', 'away'],
	['53300', 'away'],
	['42P01', 'away'],
	['CONNECTION_CLOSED', 'away'],
	['ECONNREFUSED', 'away'],
	[undefined, 'away'],
])('an error with the code %s is trouble of the kind %s', (code, trouble) => {
	expect(toTrouble(Object.assign(new Error('x'), { code }))).toBe(trouble);
});
