/** `npm run db:studio`: drizzle's table viewer on DATABASE_URL or the embedded Postgres. */
import { migrate } from '../src/lib/server/migrations/migrate';
import { joinDatabase } from './postgres/local-database';
import { startNode, supervise } from './process/supervise';

process.exitCode = await supervise(async (add) => {
	const database = await joinDatabase('nowboard');
	add(database);
	const url = process.env.DATABASE_DIRECT_URL || database.url;
	await migrate(url, { schema: database.schema });
	const args = ['node_modules/drizzle-kit/bin.cjs', 'studio', '--host', '127.0.0.1'];
	// schema.ts names no schema: the studio looks where the session does
	const there = new URL(url);
	there.searchParams.set('search_path', database.schema);
	add(startNode({ name: 'studio', args, env: { DATABASE_DIRECT_URL: there.href } }));
});
