import { expect, test } from 'vitest';
import { readEnv } from './env';

const URL = 'postgres://u:p@localhost/n';

test('the database is the only thing that must be set', () => {
	expect(readEnv({ DATABASE_URL: URL })).toEqual({
		ok: true,
		env: {
			databaseUrl: URL,
			databaseDirectUrl: URL,
			ingestOpen: false,
			dashboardPublic: false,
			demo: false,
			migrations: 'drizzle',
			logLevel: 'info',
		},
	});
});

test('behind a pooler the direct address is used for reading', () => {
	const read = readEnv({ DATABASE_URL: URL, DATABASE_DIRECT_URL: 'postgresql://direct/n' });
	expect(read.ok && read.env.databaseDirectUrl).toBe('postgresql://direct/n');
});

test('without a database it says what to do', () => {
	const read = readEnv({});
	expect(read.ok ? '' : read.errors.join()).toMatch(/^DATABASE_URL is not set: .*npm run demo/);
});

test('all mistakes are named at once, by name, value and rule, and no password is shown', () => {
	const read = readEnv({
		DATABASE_URL: 'mysql://root:secret@localhost',
		INGEST_OPEN: 'yes',
		LOG_LEVEL: 'loud',
	});
	expect(read).toEqual({
		ok: false,
		errors: [
			'DATABASE_URL begins with "mysql://…": it must be a postgres:// URL.',
			'LOG_LEVEL is "loud": it must be one of fatal, error, warn, info, debug, trace, silent.',
			'INGEST_OPEN is "yes": it must be "true" or "false".',
		],
	});
});
