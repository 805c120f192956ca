/**
 * `npm run demo:clear`: removes what the demo, `npm run simulate` and `npm run db:seed` have written, and nothing else
 * (demo-data.ts). Looks in the database of DATABASE_URL, otherwise in both of the embedded Postgres. May run beside the demo.
 */
import { connect, type Sql } from '../src/lib/server/db/connect';
import { hasTable } from '../src/lib/server/migrations/journal';
import { withDatabase } from './commands/run-command';
import { clearDemoData } from './demo/demo-data';
import { withName } from './postgres/local-database';

const NAMES = ['nowboard_demo', 'nowboard'];

await withDatabase(async (url, schema) => {
	const urls = process.env.DATABASE_URL ? [url] : NAMES.map((name) => withName(url, name));
	for (const each of urls) {
		const sql = connect(each, { max: 1, schema });
		try {
			console.log(`${sql.options.database}: ${await clear(sql)}`);
		} finally {
			await sql.end({ timeout: 5 });
		}
	}
});

async function clear(sql: Sql): Promise<string> {
	const there = await hasTable(sql, sql.schema.name, 'events').catch(noDatabase);
	if (!there) return 'nothing there yet.';
	const { events, ticks } = await clearDemoData(sql);
	if (events + ticks === 0) return 'no demo data.';
	return `removed ${events} demo events, and ${ticks} recorded ticks that counted them.`;
}

function noDatabase(error: { code?: string }): false {
	if (error.code === '3D000') return false;
	throw error;
}
