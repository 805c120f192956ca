import { expect, test } from 'vitest';
import { MAX_FORM_BYTES, readForm } from './form-body';

const FORM = 'application/x-www-form-urlencoded';
const read = async (body: BodyInit | null, type?: string) => {
	const headers = new Headers(type === undefined ? [] : [['content-type', type]]);
	const request = new Request('http://x', { method: 'POST', headers, body });
	return (await readForm(request))?.get('name') ?? null;
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
