/**
 * The environment, read once and checked whole: every mistake is named at once, before anything starts.
 * PORT, HOST, ORIGIN and SHUTDOWN_TIMEOUT belong to the Node adapter, which reads them itself.
 */

export type Env = {
	/** the pooled connection: ingest, ticks */
	databaseUrl: string;
	/** LISTEN, reading and migrations; the same address unless a pooler is in the way */
	databaseDirectUrl: string;
	/** events are taken without a key */
	ingestOpen: boolean;
	/** everyone may look */
	dashboardPublic: boolean;
	/** who gives it may look; null: there is no login */
	dashboardPassword: string | null;
	/** what tokens are encrypted with; null: one is made and kept in the database */
	secret: string | null;
	/** who sends it may read the metrics; null: nobody may */
	metricsToken: string | null;
	/** the page says that its data is simulated, and can switch the simulator off */
	demo: boolean;
	/** where `drizzle/` lies, relative to the working folder */
	migrations: string;
	logLevel: string;
	/** a line at `info` for every request; otherwise at `debug` */
	logRequests: boolean;
};

export type ReadEnv = { ok: true; env: Env } | { ok: false; errors: string[] };

/** Guessing is slow (password.ts), so length is all that is asked for. */
const MIN_PASSWORD_LENGTH = 8;
/** It can be tried as fast as we answer. */
const MIN_TOKEN_LENGTH = 16;
/** Tokens can be tried without asking us. */
const MIN_SECRET_LENGTH = 32;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** @param source `process.env`, or a part of it in tests */
export function readEnv(source: Record<string, string | undefined>): ReadEnv {
	const errors: string[] = [];

	function url(name: string): string | undefined {
		const value = source[name];
		if (!value) return undefined;
		if (/^postgres(ql)?:\/\//.test(value)) return value;
		// the value may hold a password: only its beginning is shown
		errors.push(`${name} begins with "${value.slice(0, 8)}…": it must be a postgres:// URL.`);
		return undefined;
	}
	function flag(name: string): boolean {
		const value = source[name] ?? '';
		if (['true', '1'].includes(value)) return true;
		if (!['', 'false', '0'].includes(value))
			errors.push(`${name} is "${value}": it must be "true" or "false".`);
		return false;
	}

	const databaseUrl = url('DATABASE_URL');
	if (!source.DATABASE_URL)
		errors.push(
			'DATABASE_URL is not set: it must name the Postgres that keeps the events, for example postgres://user:password@localhost:5432/nowboard. To look around without a database of your own, run "npm run demo".',
		);
	const databaseDirectUrl = url('DATABASE_DIRECT_URL') ?? databaseUrl;
	const logLevel = source.LOG_LEVEL || 'info';
	if (!LOG_LEVELS.includes(logLevel))
		errors.push(`LOG_LEVEL is "${logLevel}": it must be one of ${LOG_LEVELS.join(', ')}.`);
	const logRequests = source.LOG_REQUESTS || 'debug';
	if (!['all', 'debug'].includes(logRequests))
		errors.push(`LOG_REQUESTS is "${logRequests}": it must be "all" or "debug".`);
	const dashboardPassword = source.DASHBOARD_PASSWORD || null;
	const dashboardPublic = flag('DASHBOARD_PUBLIC');
	const metricsToken = source.METRICS_TOKEN || null;
	if (metricsToken !== null && metricsToken.length < MIN_TOKEN_LENGTH)
		errors.push(
			`METRICS_TOKEN has ${metricsToken.length} characters: it must have at least ${MIN_TOKEN_LENGTH}.`,
		);
	const secret = source.SECRET || null;
	if (secret !== null && secret.length < MIN_SECRET_LENGTH)
		errors.push(
			`SECRET has ${secret.length} characters: it must have at least ${MIN_SECRET_LENGTH}, as "openssl rand -base64 32" makes them.`,
		);
	if (dashboardPassword !== null && dashboardPassword.length < MIN_PASSWORD_LENGTH)
		errors.push(
			`DASHBOARD_PASSWORD has ${dashboardPassword.length} characters: it must have at least ${MIN_PASSWORD_LENGTH}.`,
		);
	if (dashboardPassword === null && !dashboardPublic)
		errors.push(
			'Nobody could look: set DASHBOARD_PASSWORD to ask for a password, or DASHBOARD_PUBLIC=true to let everyone look.',
		);
	const env = {
		databaseUrl: databaseUrl ?? '',
		databaseDirectUrl: databaseDirectUrl ?? '',
		ingestOpen: flag('INGEST_OPEN'),
		dashboardPublic,
		dashboardPassword,
		secret,
		metricsToken,
		demo: flag('NOWBOARD_DEMO'),
		migrations: source.MIGRATIONS_DIR || 'drizzle',
		logLevel,
		logRequests: logRequests === 'all',
	};
	return errors.length > 0 ? { ok: false, errors } : { ok: true, env };
}
