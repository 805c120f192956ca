import { expect, test, vi, onTestFinished } from 'vitest';
import { createIngestLimits } from './rate-limits';

const page = { id: 1, kind: 'public' } as const;
const server = { id: 2, kind: 'secret' } as const;
const create = (onLimited?: (rule: string) => void) =>
	createIngestLimits({ wrongKeys: 2, pageRequests: 2, pageEvents: 10, keyRequests: 3, onLimited });

test('limits only the network that sends wrong keys', async () => {
	const limits = create();
	await limits.missed('one');
	expect(await limits.blocked('one')).toBeNull();
	await limits.missed('one');
	expect(await limits.blocked('one')).toEqual({
		rule: 'From one address at most 2 wrong keys a minute are looked up.',
		waitS: 60,
	});
	expect(await limits.blocked('another')).toBeNull();
});

test('pages are limited by key and network and in all, servers by key', async () => {
	const limits = create();
	const waits = async (key: typeof page | typeof server, networks: string[]) => {
		const all: boolean[] = [];
		for (const network of networks) all.push((await limits.used(key, network)) !== null);
		return all;
	};
	expect(await waits(page, ['a', 'a', 'a', 'b', 'c'])).toEqual([false, false, true, false, true]);
	expect(await waits(server, ['a', 'b', 'c', 'd'])).toEqual([false, false, false, true]);
});

test('pages are limited by what they send, too; servers are not', async () => {
	const limits = create();
	const sent = (key: typeof page | typeof server, network: string, events: number) =>
		limits.sent(key, network, events);
	expect(await sent(page, 'a', 10)).toBeNull();
	expect(await sent(page, 'a', 1)).toMatchObject({
		rule: 'From one address at most 10 events a minute are taken with the same public key.',
	});
	expect(await sent(page, 'b', 11)).not.toBeNull();
	expect(await sent(page, 'c', 9)).toBeNull();
	expect(await sent(server, 'a', 1_000)).toBeNull();
});

test('pages are limited by what their bodies weigh; servers are not', async () => {
	const limits = createIngestLimits({ pageBytes: 1_000 });
	expect(await limits.weighed(page, 'a', 1_000)).toBeNull();
	expect(await limits.weighed(page, 'a', 1)).toMatchObject({
		rule: 'From one address at most 1000 bytes of events a minute are taken with the same public key.',
	});
	expect(await limits.weighed(page, 'b', 1_000)).toBeNull();
	expect(await limits.weighed(server, 'a', 1_000_000)).toBeNull();
});

test('a minute later it is as if nothing had been; the log hears of it once in that time', async () => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
	const told: string[] = [];
	const limits = create((rule) => void told.push(rule));
	for (let i = 0; i < 9; i++) await limits.used(page, 'one');
	expect(told).toEqual([
		'From one address at most 2 requests a minute are taken with the same public key.',
	]);
	vi.advanceTimersByTime(60_001);
	expect(await limits.used(page, 'one')).toBeNull();
	for (let i = 0; i < 9; i++) await limits.used(page, 'one');
	expect(told.length).toBe(2);
});
