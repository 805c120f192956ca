/**
 * `npm run keys -- create | list | rotate | revoke`: who may send events. In the database of DATABASE_URL, otherwise in that of
 * `npm run dev`. Running servers need not be told. Where there is only a build it is `node build/keys.js` (scripts/release/build-release.ts).
 */
import { connect } from '../src/lib/server/db/connect';
import { findLimits } from '../src/lib/server/db/limits';
import { migrate } from '../src/lib/server/migrations/migrate';
import { withDatabase } from './commands/run-command';
import { parseCommand, runCommand, USAGE } from './commands/key-commands';

const parsed = parseCommand(process.argv.slice(2));
if (!parsed.ok) {
	console.error(`${parsed.errors.join('\n')}\n${USAGE}`);
	process.exit(2);
}
const { command } = parsed;

await withDatabase(async (url, schema) => {
	await migrate(process.env.DATABASE_DIRECT_URL || url, {
		schema,
		folder: process.env.MIGRATIONS_DIR || 'drizzle',
	});
	const sql = connect(url, { max: 1, schema, limits: await findLimits(url, '0') });
	try {
		console.log(await runCommand(sql, command));
	} finally {
		await sql.end({ timeout: 5 });
	}
});
