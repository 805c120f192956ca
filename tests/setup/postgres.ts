/**
 * Vitest's global setup: one throw-away Postgres for the run, with a migrated template database that
 * `createDatabase` copies. TEST_DATABASE_URL, when set, is used instead; its role must be a superuser.
 */
import type { TestProject } from 'vitest/node';
import { provideServer } from './server';
import { createTemplate, dropDatabases } from './template';

declare module 'vitest' {
	interface ProvidedContext {
		/** superuser, database `postgres` */
		adminUrl: string;
		/** name of the migrated database, and the prefix of all databases of this run */
		template: string;
	}
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
	const server = await provideServer();
	const template = `nowboard_test_${process.pid}_${Date.now()}`;
	try {
		await createTemplate(server.adminUrl, template);
	} catch (error) {
		await server.stop();
		throw error;
	}
	project.provide('adminUrl', server.adminUrl);
	project.provide('template', template);

	return async () => {
		if (!server.throwAway) await dropDatabases(server.adminUrl, template);
		await server.stop();
	};
}
