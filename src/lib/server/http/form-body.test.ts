import { isHttpError } from '@sveltejs/kit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createBodyBudget } from './body-budget';
import { MAX_FORM_BYTES, readForm } from './form-body';

const FORM = 'application/x-www-form-urlencoded';
const toEvent = (request: Request, bodies = createBodyBudget()) => {
	const set: Record<string, string> = {};
	const setHeaders = (headers: Record<string, string>) => void Object.assign(set, headers);
	return { request, locals: { bodies }, getClientAddress: () => '192.0.2.1', setHeaders, set };
};
const read = async (body: BodyInit | null, type?: string) => {
	const headers = new Headers(type === undefined ? [] : [['content-type', type]]);
	const request = new Request('http://x', { method: 'POST', headers, body });
	return (await readForm(toEvent(request)))?.get('name') ?? null;
};

test('forms are read in both encodings that browsers send', async () => {
	expect(await read('name=a%20b', FORM)).toBe('a b');
	const multipart = new FormData();
	multipart.set('name', 'a b');
	expect(await read(multipart)).toBe('a b');
});

test('what is no form is none: of another type, without a boundary, cut, empty', async () => {
	expect(await read('name=a', 'text/plain')).toBeNull();
	expect(await read('name=a', 'multipart/form-data')).toBeNull();
	expect(await read('--x\r\ncontent-disposition', 'multipart/form-data; boundary=x')).toBeNull();
	expect(await read(null, FORM)).toBeNull();
});

test('a form that is too large is none, and is not kept', async () => {
	const largest = `name=${'a'.repeat(MAX_FORM_BYTES - 5)}`;
	expect((await read(largest, FORM)) as string).toHaveLength(MAX_FORM_BYTES - 5);
	expect(await read(`${largest}a`, FORM)).toBeNull();
});

test('an incomplete form gets 408, and one without room 503', async () => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
	onTestFinished(() => void vi.useRealTimers());
	const bodies = createBodyBudget({ networkBytes: 300, waitMs: 100 });
	const outcome = (body: BodyInit) => {
		const init = { method: 'POST', headers: { 'content-type': FORM }, body, duplex: 'half' };
		const event = toEvent(new Request('http://x', init as RequestInit), bodies);
		return readForm(event).then(
			(form) => form?.get('name'),
			(thrown: unknown) => (isHttpError(thrown) ? [thrown.status, event.set] : thrown),
		);
	};
	const stalled = outcome(
		new ReadableStream({
			start: (control) => control.enqueue(new TextEncoder().encode('name=a')),
		}),
	);
	await expect.poll(() => bodies.bytes(), { interval: 1 }).toBeGreaterThan(0);
	expect(await outcome('name=a')).toEqual([503, { 'retry-after': '2' }]);
	await vi.advanceTimersByTimeAsync(100);
	expect(await stalled).toEqual([408, { connection: 'close' }]);
	expect(bodies.bytes()).toBe(0);
	expect(await outcome('name=a')).toBe('a');
});
