import { expect, test } from 'vitest';
import { measureOffset } from './clock';
import { START } from './testing/fixtures';
import type { Answer } from './status';

/** A server 5 s ahead; each trip takes `out` there and `back` again. */
function toServer(trips: readonly (readonly [out: number, back: number] | 'down')[]) {
	let now = START;
	let trip = 0;
	return {
		now: () => now,
		ask: async (): Promise<Answer> => {
			const next = trips[trip++ % trips.length] ?? 'down';
			if (next === 'down') return { ok: false, reason: 'The server is not answering.' };
			now += next[0];
			const time = new Date(now + 5_000).toISOString();
			now += next[1];
			return {
				ok: true,
				ping: { now: time, database: 'up', listener: 'up', reading: null, writing: null },
			};
		},
	};
}

test('the fastest trip counts, however late the others were', async () => {
	const server = toServer([
		[400, 20],
		[3, 3],
		[10, 900],
		[200, 100],
	]);
	expect(await measureOffset(server.ask, server.now)).toBe(5_000);
});

test('(control) one slow trip alone is off by half of its asymmetry', async () => {
	const slow = toServer([[400, 20]]);
	expect(await measureOffset(slow.ask, slow.now)).toBe(5_190);
});

test('a server that does not answer leaves the offset unknown, or as known from the trips before', async () => {
	const down = toServer(['down']);
	const half = toServer([[2, 2], 'down']);
	expect([
		await measureOffset(down.ask, down.now),
		await measureOffset(half.ask, half.now),
	]).toEqual([null, 5_000]);
});
