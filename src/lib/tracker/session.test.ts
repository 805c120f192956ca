import { afterEach, describe, expect, test, vi } from 'vitest';
import { SESSION_MS, toSessionId, uuid } from './session';

const NOW = 1_800_000_000_000;

afterEach(() => void vi.useRealTimers());

test.each([
	['nothing stored', null, 'new'],
	['an event just now', `old ${NOW}`, 'old'],
	['silence of nearly 30 minutes', `old ${NOW - SESSION_MS + 1}`, 'old'],
	['silence of 30 minutes', `old ${NOW - SESSION_MS}`, 'new'],
	['a clock that was put back', `old ${NOW + SESSION_MS}`, 'old'],
	['something else stored', 'something', 'new'],
	['an empty text stored', '', 'new'],
	['no time', 'old x', 'new'],
])('%s: the session is %s', (_, stored, id) => {
	vi.useFakeTimers({ now: NOW });
	const sessionId = toSessionId(`${stored}`.split(' '));
	expect(sessionId === 'old' ? 'old' : 'new').toBe(id);
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
