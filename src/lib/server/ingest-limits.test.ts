import { expect, test, vi, onTestFinished } from 'vitest';
import { createIngestLimits } from './ingest-limits';

const page = { id: 1, kind: 'public' } as const;
const server = { id: 2, kind: 'secret' } as const;
const create = () => createIngestLimits({ wrongKeys: 2, pageRequests: 2, serverRequests: 3 });

test('who tries wrong keys is told to wait, and nobody else is', async () => {
	const limits = create();
	for (let i = 0; i < 2; i++) await limits.missed('one');
	expect(await limits.blocked('one')).toBe(0);
	await limits.missed('one');
	expect(await limits.blocked('one')).toBeGreaterThan(0);
	expect(await limits.blocked('another')).toBe(0);
});

test('pages are limited by key and address, servers by key', async () => {
	const limits = create();
	const waits = async (key: typeof page | typeof server, addresses: string[]) => {
		const all: boolean[] = [];
		for (const address of addresses) all.push((await limits.used(key, address)) > 0);
		return all;
	};
	expect(await waits(page, ['a', 'a', 'a', 'b'])).toEqual([false, false, true, false]);
	expect(await waits(server, ['a', 'b', 'c', 'd'])).toEqual([false, false, false, true]);
});

test('a minute later it is as if nothing had been', async () => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
	const limits = create();
	for (let i = 0; i < 3; i++) await limits.missed('one');
	vi.advanceTimersByTime(60_001);
	expect(await limits.blocked('one')).toBe(0);
});
