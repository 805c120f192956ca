import { afterEach, describe, expect, test, vi } from 'vitest';
import { nextSession, SESSION_MS, uuid } from './session';

const NOW = 1_800_000_000_000;

test.each([
	['nothing stored', null, 'new'],
	['an event just now', `old ${NOW}`, 'old'],
	['silence of nearly 30 minutes', `old ${NOW - SESSION_MS + 1}`, 'old'],
	['silence of 30 minutes', `old ${NOW - SESSION_MS}`, 'new'],
	['a clock that was put back', `old ${NOW + SESSION_MS}`, 'old'],
	['something else stored', 'something', 'new'],
	['an empty text stored', '', 'new'],
	['a longer id than the server takes', `${'x'.repeat(300)} ${NOW}`, 'new'],
	['no time', 'old x', 'new'],
])('%s', (_, stored, id) => {
	expect(nextSession(stored, NOW, () => 'new')).toBe(`${id} ${NOW}`);
});

describe.each(['with crypto', 'without crypto.randomUUID, as over plain http'])('%s', (how) => {
	afterEach(() => void vi.unstubAllGlobals());

	test('ids are UUIDs of version 4, each another', () => {
		if (how.startsWith('without')) vi.stubGlobal('crypto', {});
		const ids = Array.from({ length: 1_000 }, uuid);
		for (const id of ids)
			expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
		expect(new Set(ids).size).toBe(ids.length);
		const digits = new Set(ids.map((id) => id[0]));
		expect(digits.size, 'every digit comes first somewhere').toBe(16);
	});
});
