import { promisify } from 'node:util';
import { gunzip, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createBodyBudget } from '../http/body-budget';
import { readJson } from './json-body';

const MAX_BYTES = 512 * 1024;
const MIB = 1024 * 1024;

/** Bytes in buffers beyond those before, at the highest, while `work` goes on. */
async function peak(work: () => Promise<unknown>): Promise<number> {
	const before = process.memoryUsage().arrayBuffers;
	let highest = 0;
	const look = () => (highest = Math.max(highest, process.memoryUsage().arrayBuffers - before));
	const timer = setInterval(look, 1);
	await work();
	look();
	clearInterval(timer);
	return highest;
}

/** Members of gzip stand one behind the other: it is made without its contents. */
function makeBomb() {
	const member = gzipSync(new Uint8Array(MIB), { level: 9 });
	return Buffer.concat(Array.from({ length: 128 }, () => member));
}

test('of a gzip bomb little more than the limit is unpacked', async () => {
	const bomb = makeBomb();
	expect(bomb.length).toBeLessThan(MAX_BYTES);
	const request = new Request('http://localhost/', {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
		body: bomb,
	});
	const bounds = { maxBytes: MAX_BYTES, bodies: createBodyBudget(), network: '192.0.2.1' };
	let answer: unknown;
	const ours = await peak(async () => (answer = await readJson(request, bounds)));
	expect(answer).toMatchObject({ ok: false, status: 413 });
	expect(ours).toBeLessThan(4 * MIB);
});

test('(control) without a limit all of a gzip bomb is unpacked', async () => {
	const bomb = makeBomb();
	expect(await peak(() => promisify(gunzip)(bomb))).toBeGreaterThan(100 * MIB);
});
