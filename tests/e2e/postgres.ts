/** Playwright's global setup: one throw-away Postgres for the run, with a migrated database that tests copy. */
import { existsSync } from 'node:fs';
import { provideServer } from '../setup/server';
import { createTemplate, dropDatabases } from '../setup/template';

export default async function setup(): Promise<() => Promise<void>> {
	if (!existsSync('build/index.js')) {
		throw new Error('There is no build/ to test: run `npm run build` first.');
	}
	const { adminUrl, throwAway, stop } = await provideServer();
	const template = `nowboard_e2e_${process.pid}_${Date.now()}`;
	try {
		await createTemplate(adminUrl, template);
	} catch (error) {
		await stop();
		throw error;
	}
	process.env.TEST_DATABASE_URL = adminUrl;
	process.env.TEST_TEMPLATE = template;
	return async () => {
		if (!throwAway) await dropDatabases(adminUrl, template);
		await stop();
	};
}
