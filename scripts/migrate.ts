/** `npm run db:migrate`. The server does the same when it starts; this is for those who want it before. */
import { migrate } from '../src/lib/server/db/migrate';
import { withDatabase } from './commands/run-command';

await withDatabase(async (url) => {
	const applied = await migrate(process.env.DATABASE_DIRECT_URL || url, { warn: console.warn });
	console.log(applied === 0 ? 'Nothing to migrate.' : `Applied ${applied} migrations.`);
});
