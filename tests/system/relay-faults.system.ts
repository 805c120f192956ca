/** The short form of `npm run test:faults -- --relay`, with a fixed seed: every kind of fault of the relay once. */
import { expect, test } from 'vitest';
import { RELAY_FAULT_KINDS } from '../faults/plan';
import { findFailures } from '../faults/report';
import { runFaults } from '../faults/run';

test('two instances and an edge share one reader: nothing lost, nothing twice, no reset where none is due', async () => {
	const seed = 20_261_130;
	const lines: string[] = [];
	const result = await runFaults({
		...{ seed, events: 6_000, rate: 400, clients: 20, instances: 3, stallMs: 4_000 },
		faults: RELAY_FAULT_KINDS.length,
		relay: true,
		log: (line) => lines.push(line),
	});
	expect(findFailures(result), `seed ${seed}\n${lines.join('\n')}`).toEqual([]);
	expect(new Set(result.faults.map(({ kind }) => kind))).toEqual(new Set(RELAY_FAULT_KINDS));
	expect(result.committed).toBeGreaterThan(6_000);
}, 900_000);
