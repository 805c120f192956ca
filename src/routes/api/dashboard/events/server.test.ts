/** What a page that scrolls is told when it asks too often or too many ask: when to come back. */
import { expect, test } from 'vitest';
import { BusyError } from '$lib/server/history/readings';
import { createViewLimits } from '$lib/server/http/view-limits';
import { GET } from './+server';

test('a refused page of events says when to ask again', async () => {
	const limits = { knows: () => false, watched: () => 0, pagesPerMinute: 2 };
	const viewLimits = createViewLimits(limits);
	const pages = [() => Promise.reject(new BusyError()), () => Promise.resolve({ events: [] })];
	const older = { read: () => pages.shift()?.() };
	const locals = { viewLimits, older, viewer: null, network: '192.0.2.1' };
	const event = { url: new URL('http://localhost/api/dashboard/events'), locals };
	const answers: unknown[] = [];
	for (let i = 0; i < 3; i++) {
		const { status, headers } = await (GET as unknown as (event: object) => Promise<Response>)(
			event,
		);
		const waitS = headers.get('retry-after');
		answers.push([status, waitS !== null && Number(waitS) > 0 && Number(waitS) <= 60]);
	}
	expect(answers).toEqual([
		[503, true],
		[200, false],
		[429, true],
	]);
});
