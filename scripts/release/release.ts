/**
 * `node build/migrate.js`, for platforms with a step before a release: checks the environment as the server will read it, and
 * migrates. The server does both when it starts; done before, what fails stops the release while the old version goes on.
 * scripts/release/build-release.ts bundles it, because production has neither tsx nor src/.
 */
import { prepareDatabase } from '../../src/lib/server/migrations/prepare';
import { tellFailure } from '../commands/tell-failure';
import { readEnv } from '../../src/lib/server/config/env';

try {
	const read = readEnv(process.env);
	if (!read.ok) throw new Error(read.errors.join('\n'));
	const { databaseDirectUrl, databaseSchema: schema, migrations } = read.env;
	try {
		const options = { schema, folder: migrations, warn: console.warn };
		const applied = await prepareDatabase(databaseDirectUrl, options);
		console.log(applied === 0 ? 'Nothing to migrate.' : `Applied ${applied} migrations.`);
	} catch (error) {
		console.error(await tellFailure(error, databaseDirectUrl, schema));
		process.exitCode = 1;
	}
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}
