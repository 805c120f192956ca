import { expect, test } from 'vitest';
import { createTarpit } from './tarpit';

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
