import { expect, test } from 'vitest';
import { createTarpit, MAX_WAITING } from './tarpit';

test('who is refused often waits for the next refusal; others do not', async () => {
	const late = createTarpit({ free: 3, lateMs: 100 });
	const wait = async (network: string) => {
		const started = performance.now();
		await late(network);
		return performance.now() - started;
	};
	for (let i = 0; i < 3; i++) expect(await wait('one')).toBeLessThan(50);
	expect(await wait('one')).toBeGreaterThan(90);
	expect(await wait('another')).toBeLessThan(50);
});

test('a connection on which too many wait at once is cut; one after the other is not', async () => {
	const late = createTarpit({ free: 1, lateMs: 5 });
	const connect = () => {
		const connection = { cut: 0, destroy: () => connection.cut++ };
		return connection;
	};
	const [patient, other, hasty] = [connect(), connect(), connect()];
	await late('one');
	for (let i = 0; i < 2 * MAX_WAITING; i++) await late('one', patient);
	await Promise.all(Array.from({ length: MAX_WAITING }, () => late('one', other)));
	await Promise.all(Array.from({ length: MAX_WAITING + 1 }, () => late('one', hasty)));
	expect([patient.cut, other.cut, hasty.cut]).toEqual([0, 0, 1]);
});
