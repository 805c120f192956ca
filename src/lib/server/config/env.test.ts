import { expect, test } from 'vitest';
import { readEnv } from './env';

const URL = 'postgres://u:p@localhost/n';

test('the database and who may look are all that must be set', () => {
	expect(readEnv({ DATABASE_URL: URL, DASHBOARD_PASSWORD: 'correct horse' })).toEqual({
		ok: true,
		env: {
			databaseUrl: URL,
			databaseDirectUrl: URL,
			databaseSchema: 'nowboard',
			relay: null,
			ingestOpen: false,
			dashboardPublic: false,
			dashboardPassword: 'correct horse',
			secret: null,
			metricsToken: null,
			ownVisits: { addresses: [], hosts: [], users: [] },
			presence: true,
			addressHeader: null,
			basePath: '',
			countryHeader: null,
			geoipFile: null,
			retentionDays: 90,
			demo: false,
			demoKeys: null,
			migrations: 'drizzle',
			logLevel: 'info',
			logRequests: false,
			http: {
				listen: { host: '0.0.0.0', port: 3000 },
				keepAliveMs: null,
				headersMs: null,
				shutdownMs: 30_000,
				idleMs: 0,
			},
		},
	});
});

test('listens where it is told: host and port, a Unix socket, or the one socket of systemd', () => {
	const listen = (source: Record<string, string>) => {
		const read = readEnv({ DATABASE_URL: URL, DASHBOARD_PUBLIC: 'true', ...source }, 42);
		return read.ok ? read.env.http.listen : read.errors;
	};
	const systemd = { LISTEN_PID: '42', LISTEN_FDS: '1' };
	expect(listen({ HOST: '::1', PORT: '80' })).toEqual({ host: '::1', port: 80 });
	expect(listen({ SOCKET_PATH: '/run/n.sock', PORT: '80' })).toEqual({ path: '/run/n.sock' });
	expect(listen({ ...systemd, SOCKET_PATH: '/run/n.sock' })).toEqual({ fd: 3 });
	expect(listen({ ...systemd, LISTEN_FDS: '2' })).toEqual([
		'LISTEN_FDS is "2": socket activation must hand over exactly one socket.',
	]);
	// the variables of another process, which this one inherited
	expect(listen({ ...systemd, LISTEN_PID: '41' })).toEqual({ host: '0.0.0.0', port: 3000 });
});

test('behind a pooler the direct address is used for reading', () => {
	const read = readEnv({
		DATABASE_URL: URL,
		DATABASE_DIRECT_URL: 'postgresql://direct/n',
		DASHBOARD_PUBLIC: 'true',
	});
	expect(read.ok && read.env.databaseDirectUrl).toBe('postgresql://direct/n');
});

test('without a database it says what to do', () => {
	const read = readEnv({});
	expect(read.ok ? '' : read.errors.join()).toMatch(/^DATABASE_URL is not set: .*npm run demo/);
});

test('a dashboard that no one could view does not start', () => {
	const read = readEnv({ DATABASE_URL: URL });
	expect(read.ok ? '' : read.errors.join()).toMatch(/DASHBOARD_PASSWORD.*DASHBOARD_PUBLIC=true/);
});

test('all mistakes are named at once, by name, value and rule, and no password is shown', () => {
	const read = readEnv({
		DATABASE_URL: 'mysql://root:secret@localhost',
		INGEST_OPEN: 'yes',
		DASHBOARD_PASSWORD: 'secret',
		SECRET: 'short',
		LOG_LEVEL: 'loud',
		PORT: '80a',
		XFF_DEPTH: '2',
	});
	expect(read).toEqual({
		ok: false,
		errors: [
			'DATABASE_URL begins with "mysql://": it must be a postgres:// URL.',
			'PORT is "80a": it must be a whole number from 0 to 65535.',
			'DASHBOARD_PASSWORD has 6 characters: it must have at least 8.',
			'SECRET has 5 characters: it must have at least 32, as "openssl rand -base64 32" makes them.',
			'INGEST_OPEN is "yes": it must be "true" or "false".',
			'LOG_LEVEL is "loud": it must be one of fatal, error, warn, info, debug, trace, silent.',
			'XFF_DEPTH is 2, and ADDRESS_HEADER is not X-Forwarded-For: only that one names several proxies.',
		],
	});
});
