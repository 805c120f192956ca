import { expect, test, vi } from 'vitest';
import { NEEDS_LOGIN, Refusal, UNREACHABLE } from './status';
import { createTokenUrl } from './token-url';

test('each attempt has a token of its own, and its position', async () => {
	let made = 0;
	const fetcher = vi.fn<typeof fetch>(async () =>
		Response.json({ token: `t/${++made}`, expiresAt: '2026-11-23T14:00:00.000Z' }, { status: 201 }),
	);
	const toUrl = createTokenUrl({ fetch: fetcher, source: 'shop' });
	expect([await toUrl(null), await toUrl('e-1')]).toEqual([
		'/api/dashboard/stream?token=t%2F1&source=shop',
		'/api/dashboard/stream?token=t%2F2&cursor=e-1&source=shop',
	]);
	expect(fetcher.mock.calls.map(([url, init]) => [url, init?.method])).toEqual(
		Array(2).fill(['/api/tokens', 'POST']),
	);
});

test('who gets none is told why, in the words of the page', async () => {
	const answers: [answer: () => Promise<Response>, reason: string][] = [
		[async () => new Response('', { status: 401 }), NEEDS_LOGIN],
		[async () => new Response('', { status: 502 }), 'The proxy cannot reach the server.'],
		[
			async () => Response.json({ token: null }),
			'Something else answers in the place of the server.',
		],
		[() => Promise.reject(new TypeError('fetch failed')), UNREACHABLE],
	];
	for (const [answer, reason] of answers)
		await expect(createTokenUrl({ fetch: answer })(null)).rejects.toEqual(new Refusal(reason));
});
