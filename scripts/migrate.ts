/** `npm run db:migrate`. The server does the same when it starts; this is for those who want it before. */
import { prepareDatabase } from '../src/lib/server/migrations/prepare';
import { withDatabase } from './commands/run-command';

await withDatabase(async (url, schema) => {
	const applied = await prepareDatabase(process.env.DATABASE_DIRECT_URL || url, {
		schema,
		warn: console.warn,
	});
	console.log(applied === 0 ? 'Nothing to migrate.' : `Applied ${applied} migrations.`);
});
