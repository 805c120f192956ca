/** Playwright's global setup: one throw-away Postgres for the run, handed to the workers as TEST_DATABASE_URL. */
import { existsSync } from 'node:fs';
import { provideServer } from '../setup/server';

export default async function setup(): Promise<() => Promise<void>> {
	if (!existsSync('build/index.js')) {
		throw new Error('There is no build/ to test: run `npm run build` first.');
	}
	const { adminUrl, stop } = await provideServer();
	process.env.TEST_DATABASE_URL = adminUrl;
	return stop;
}
