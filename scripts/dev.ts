/** `npm run dev`: the embedded Postgres (unless DATABASE_URL is set), migrations, and Vite with hot reload. */
import { migrate } from '../src/lib/server/migrations/migrate';
import { openDatabase } from './postgres/local-database';
import { choosePort } from './process/ports';
import { startNode, supervise } from './process/supervise';

process.exitCode = await supervise(async (add) => {
	const port = await choosePort();
	const database = await openDatabase('nowboard');
	add(database);
	await migrate(process.env.DATABASE_DIRECT_URL || database.url, { schema: database.schema });
	const env = {
		DATABASE_URL: database.url,
		DATABASE_DIRECT_URL: process.env.DATABASE_DIRECT_URL || database.url,
		DASHBOARD_PUBLIC: 'true',
		INGEST_OPEN: 'true',
	};
	const vite = ['node_modules/vite/bin/vite.js', 'dev', '--port', String(port), '--strictPort'];
	add(startNode({ name: 'Vite server', args: [...vite, ...process.argv.slice(2)], env }));
});
