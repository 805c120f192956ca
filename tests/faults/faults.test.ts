/** The short form of `npm run test:faults`, with a fixed seed. */
import { expect, test } from 'vitest';
import { findFailures } from './report';
import { runFaults } from './run';

test('two instances, thirty clients, eight faults: nothing lost, nothing twice, no reset where none is due', async () => {
	const seed = 20_261_126;
	const lines: string[] = [];
	const result = await runFaults({
		seed,
		events: 5_000,
		rate: 400,
		clients: 30,
		faults: 8,
		instances: 2,
		relay: false,
		stallMs: 4_000,
		log: (line) => lines.push(line),
	});
	expect(findFailures(result), `seed ${seed}\n${lines.join('\n')}`).toEqual([]);
	expect(result.committed).toBeGreaterThan(5_000);
	expect(result.verdicts).toHaveLength(30);
}, 300_000);
