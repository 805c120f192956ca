/**
 * `node build/migrate.js`, for platforms with a step before a release: checks the environment as the server will read it, and
 * migrates. The server does both when it starts; done before, what fails stops the release while the old version goes on.
 * scripts/release/build-release.ts bundles it, because production has neither tsx nor src/.
 */
import { migrate } from '../../src/lib/server/db/migrate';
import { readEnv } from '../../src/lib/server/config/env';

try {
	const read = readEnv(process.env);
	if (!read.ok) throw new Error(read.errors.join('\n'));
	const { databaseDirectUrl, migrations } = read.env;
	const applied = await migrate(databaseDirectUrl, { folder: migrations, warn: console.warn });
	console.log(applied === 0 ? 'Nothing to migrate.' : `Applied ${applied} migrations.`);
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}
