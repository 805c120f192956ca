/** `npm run db:seed [-- --seed n]`: believable data for looking at; the same for the same number. */
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { migrate } from '../src/lib/server/migrations/migrate';
import { withDatabase } from './commands/run-command';
import { seed } from './demo/seed-data';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } });

await withDatabase(async (url, schema) => {
	const number = Number(values.seed);
	if (!Number.isSafeInteger(number))
		throw new Error(`--seed is "${values.seed}" and must be a whole number.`);
	await migrate(process.env.DATABASE_DIRECT_URL || url, { schema });
	const sql = connect(url, { max: 1, schema });
	try {
		const { events, snapshots } = await seed(sql, number);
		console.log(`Added ${events} events and ${snapshots} metric snapshots.`);
	} finally {
		await sql.end({ timeout: 5 });
	}
});
