/** What is asked for wrongly, as SvelteKit calls the route: nothing is opened for it. */
import { isHttpError } from '@sveltejs/kit';
import { expect, test } from 'vitest';
import { GET } from './+server';

function ask(query: string) {
	const opened: unknown[] = [];
	const locals = {
		live: {
			open(_: string | null, { source }: { source: string | null }) {
				opened.push(source);
				return new ReadableStream();
			},
		},
		requests: { streamed: () => () => {} },
		...{ requestId: 'r', viewer: null, login: null, tokenEndsAt: null },
	};
	const url = new URL(`http://localhost/api/dashboard/stream?${query}`);
	try {
		const response = GET({ url, request: new Request(url), locals } as never) as Response;
		return [response.status, opened];
	} catch (thrown) {
		if (!isHttpError(thrown)) throw thrown;
		return [thrown.status, thrown.body.message, opened];
	}
}

test('a source that an event can have is looked at, whether or not there are any', () => {
	expect(ask(`source=${'x'.repeat(120)}`)).toEqual([200, ['x'.repeat(120)]]);
	expect(ask('source=')).toEqual([200, [null]]);
});

test('one that no event can have is refused', () => {
	expect(ask(`source=${'x'.repeat(121)}`)).toEqual([
		400,
		'source has 121 characters: it may have at most 120.',
		[],
	]);
	expect(ask('source=a%00')).toEqual([
		400,
		'source must not contain NUL (\\u0000), which Postgres cannot store.',
		[],
	]);
});
