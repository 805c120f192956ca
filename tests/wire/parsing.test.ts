import { describe, expect, test } from 'vitest';
import { PARSERS, type Heard } from './parsers';
import { PARSING, toReceived } from './parsing';

describe.each(Object.entries(PARSERS))('read by %s', (parser, parse) => {
	const rows = PARSING.map((row) => [row.wpt, row.fact, row] as const);

	test.each(rows)('%s: %s', async (_, __, row) => {
		const bytes = new TextEncoder().encode(row.wire);
		const expected: Heard = { events: toReceived(row.events), retryMs: row.retryMs ?? null };
		const single = [...bytes].map((byte) => Uint8Array.of(byte));
		for (const chunks of [[bytes], single])
			if (row.wrong?.[parser]) expect(await parse(chunks), row.wrong[parser]).not.toEqual(expected);
			else expect(await parse(chunks)).toEqual(expected);
	});
});
