/** Whether the tables are those that this version wants, triggers included, without which everything looks well for a while. */
import type { Sql } from '../../src/lib/server/db/connect';
import { readApplied, readJournal } from '../../src/lib/server/migrations/journal';
import { well, wrong, type Finding } from './finding';

/** What is lost without each. */
const TRIGGERS: Readonly<Record<string, string>> = {
	events_ring: 'events come by polling only',
	events_own_tx: 'a row with a made-up transaction is never shown',
	events_truncated: 'TRUNCATE goes unnoticed',
	events_deleted: 'deleted rows stay on the screens',
};

export async function examineMigrations(sql: Sql, folder: string): Promise<Finding> {
	const journal = readJournal(folder);
	const applied = await readApplied(sql);
	const missing = journal
		.filter(({ when }) => !applied.some((one) => one.when === when))
		.map(({ tag }) => tag);
	if (applied.length === 0)
		return wrong(
			'migrations',
			'the tables of Nowboard are not there',
			'Start the server, which makes them, or run "npm run db:migrate" ("node build/migrate.js" where there is only a build).',
		);
	if (missing.length > 0)
		return wrong(
			'migrations',
			`the schema is old: ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing`,
			'Restart the server with this version, or run "npm run db:migrate" ("node build/migrate.js" where there is only a build).',
		);
	const ahead = applied.length - journal.length;
	if (ahead > 0)
		return well('migrations', `all ${journal.length} are applied, and ${ahead} of a newer version`);
	return well('migrations', `all ${journal.length} are applied`);
}

export async function examineTriggers(sql: Sql): Promise<Finding> {
	const rows = await sql`
		select tgname as name from pg_trigger
		where tgrelid = to_regclass(${`${sql.schema}.events`}) and not tgisinternal and tgenabled in ('O', 'A')`;
	const there = rows.map(({ name }) => name as string);
	const missing = Object.keys(TRIGGERS).filter((name) => !there.includes(name));
	if (missing.length === 0) return well('triggers', 'all are there and switched on');
	return wrong(
		'triggers',
		`missing or switched off: ${missing.map((name) => `${name} (${TRIGGERS[name]})`).join(', ')}`,
		`If they are switched off: ALTER TABLE ${sql.schema.name}.events ENABLE TRIGGER ALL. If they are gone, the schema was pushed or restored without them: make them as drizzle/*.sql do.`,
	);
}
