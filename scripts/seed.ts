/** `npm run db:seed [-- --seed n]`: believable data for looking at; the same for the same number. */
import { parseArgs } from 'node:util';
import { withTables } from './commands/run-command';
import { seed } from './demo/seed-data';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } });

await withTables(async (sql) => {
	const number = Number(values.seed);
	if (!Number.isSafeInteger(number))
		throw new Error(`--seed is "${values.seed}" and must be a whole number.`);
	const { events, snapshots } = await seed(sql, number);
	console.log(`Added ${events} events and ${snapshots} metric snapshots.`);
});
