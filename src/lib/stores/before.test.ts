import { expect, test } from 'vitest';
import type { Before } from '../history';
import { BEFORE_MS, createBefore } from './before';

const ANSWER: Before = {
	at: '2026-03-01T12:00:00.000Z',
	tables: { path: [{ key: '/', count: 2 }] },
};

test('asks once a minute while the page is visible; what fails is not known', async () => {
	const document = Object.assign(new EventTarget(), { hidden: false });
	const urls: string[] = [];
	const waits: number[] = [];
	let later = (): void => {};
	const answers = [JSON.stringify(ANSWER), '<html>'];
	const seen: (Before | null)[] = [];
	const before = createBefore({
		filter: ['os:Linux'],
		by: ['path', 'name'],
		url: '/before',
		environment: {
			document,
			after(ms, run) {
				waits.push(ms);
				later = run;
				return () => {};
			},
		},
		fetch: (async (url: string) => {
			urls.push(url);
			return new Response(answers.shift());
		}) as typeof fetch,
	});
	const leave = before.subscribe((value) => seen.push(value));
	await expect.poll(() => waits).toEqual([BEFORE_MS]);
	document.hidden = true;
	later();
	expect(urls).toEqual(['/before?by=path%2Cname&f=os%3ALinux']);
	document.hidden = false;
	document.dispatchEvent(new Event('visibilitychange'));
	await expect.poll(() => seen).toEqual([null, ANSWER, null]);
	expect(urls).toHaveLength(2);
	// looked at again within the minute
	document.dispatchEvent(new Event('visibilitychange'));
	leave();
	expect(urls).toHaveLength(2);
});
