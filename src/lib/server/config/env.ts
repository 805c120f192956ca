/**
 * The environment, read once and checked whole: every mistake is named at once, before anything starts. What each variable means and
 * its own rule stand in variables.ts; here are the rules between them, and what the server takes of it all.
 */
import { readVariables, type Values } from './variables';

export type Env = {
	/** the pooled connection: ingest, ticks */
	databaseUrl: string;
	/** LISTEN, reading and migrations; the same address unless a pooler is in the way */
	databaseDirectUrl: string;
	/** the schema of all our tables */
	databaseSchema: string;
	/** null: each instance reads for itself */
	relay: { url: string; role: Values['RELAY_ROLE'] } | null;
	/** events are taken without a key */
	ingestOpen: boolean;
	/** everyone may look */
	dashboardPublic: boolean;
	/** who gives it may look; null: there is no login */
	dashboardPassword: string | null;
	/** what tokens are encrypted with; null: one is made and kept in the database */
	secret: string | null;
	/** what the adapter takes a visitor's address from; null: the connection */
	addressHeader: string | null;
	/** the path of ORIGIN, which the proxy strips: `/now`, or empty at the root of a host */
	basePath: string;
	/** in which a trusted proxy names a visitor's country */
	countryHeader: string | null;
	/** a country file to use instead of the packaged one */
	geoipFile: string | null;
	/** visits that are not counted */
	ownVisits: { addresses: string[]; hosts: string[]; users: string[] };
	/** who is here now is recorded and shown */
	presence: boolean;
	/** the token for metrics; null: no one may read them */
	metricsToken: string | null;
	/** days that events are kept; 0: for ever */
	retentionDays: number;
	/** the page says that its data is simulated, and can switch the simulator off */
	demo: boolean;
	/** keys that viewers of the demo can copy */
	demoKeys: { public: string; secret: string } | null;
	/** where `drizzle/` lies, relative to the working folder */
	migrations: string;
	logLevel: string;
	/** a line at `info` for every request; otherwise at `debug` */
	logRequests: boolean;
	/** for src/lib/server/http/server.ts */
	http: {
		listen: { host: string; port: number } | { path: string } | { fd: number };
		/** null: as Node has it */
		keepAliveMs: number | null;
		headersMs: number | null;
		/** after SIGTERM: until open connections are cut */
		shutdownMs: number;
		/** without a request, until a process that systemd started ends; 0: never */
		idleMs: number;
	};
};

const SHUTDOWN_TIMEOUT_S = 30;
/** The first socket that systemd hands over: sd_listen_fds(3). */
const SYSTEMD_FD = 3;

export type ReadEnv = { ok: true; env: Env } | { ok: false; errors: string[] };

const toMs = (seconds: number | null) => (seconds === null ? null : seconds * 1_000);

/** @param source `process.env`, or a part of it in tests */
export function readEnv(
	source: Record<string, string | undefined>,
	pid: number = process.pid,
): ReadEnv {
	const { values, faults } = readVariables(source);
	const errors = [...faults];
	if (!source.DATABASE_URL)
		errors.push(
			'DATABASE_URL is not set: it must name the Postgres that keeps the events, for example postgres://user:password@localhost:5432/nowboard. To look around without a database of your own, run "npm run demo".',
		);
	if (!source.DASHBOARD_PASSWORD && !values.DASHBOARD_PUBLIC)
		errors.push(
			'No one can view the dashboard. Set DASHBOARD_PASSWORD, or DASHBOARD_PUBLIC=true to let anyone view it.',
		);
	if (values.XFF_DEPTH !== null && values.ADDRESS_HEADER?.toLowerCase() !== 'x-forwarded-for')
		errors.push(
			`XFF_DEPTH is ${values.XFF_DEPTH}, and ADDRESS_HEADER is not X-Forwarded-For: only that one names several proxies.`,
		);
	if (values.RELAY_ROLE === 'edge' && !source.RELAY_URL)
		errors.push(
			'RELAY_ROLE is "edge", and RELAY_URL is not set: an edge takes events from nowhere else.',
		);
	// systemd names the process: one that was started by it inherits the variables, and not the socket
	const isActivated = Number(source.LISTEN_PID) === pid && source.LISTEN_FDS !== undefined;
	if (isActivated && source.LISTEN_FDS !== '1')
		errors.push(
			`LISTEN_FDS is "${source.LISTEN_FDS}": socket activation must hand over exactly one socket.`,
		);
	const databaseUrl = values.DATABASE_URL ?? '';
	const { NOWBOARD_DEMO_PUBLIC_KEY: publicKey, NOWBOARD_DEMO_SECRET_KEY: secretKey } = values;
	const demo = values.NOWBOARD_DEMO;
	const env = {
		databaseUrl,
		databaseDirectUrl: values.DATABASE_DIRECT_URL ?? databaseUrl,
		databaseSchema: values.DATABASE_SCHEMA,
		relay: values.RELAY_URL === null ? null : { url: values.RELAY_URL, role: values.RELAY_ROLE },
		ingestOpen: values.INGEST_OPEN,
		dashboardPublic: values.DASHBOARD_PUBLIC,
		dashboardPassword: values.DASHBOARD_PASSWORD,
		secret: values.SECRET,
		presence: values.PRESENCE,
		ownVisits: {
			addresses: values.EXCLUDE_ADDRESSES,
			hosts: values.EXCLUDE_HOSTS,
			users: values.EXCLUDE_USERS,
		},
		metricsToken: values.METRICS_TOKEN,
		addressHeader: values.ADDRESS_HEADER,
		basePath: values.ORIGIN === null ? '' : new URL(values.ORIGIN).pathname.replace(/\/$/, ''),
		countryHeader: values.COUNTRY_HEADER,
		geoipFile: values.GEOIP_FILE,
		retentionDays: values.RETENTION_DAYS,
		demo,
		demoKeys: demo && publicKey && secretKey ? { public: publicKey, secret: secretKey } : null,
		migrations: values.MIGRATIONS_DIR,
		logLevel: values.LOG_LEVEL,
		logRequests: values.LOG_REQUESTS === 'all',
		http: {
			listen: isActivated
				? { fd: SYSTEMD_FD }
				: values.SOCKET_PATH !== null
					? { path: values.SOCKET_PATH }
					: { host: values.HOST, port: values.PORT },
			keepAliveMs: toMs(values.KEEP_ALIVE_TIMEOUT),
			headersMs: toMs(values.HEADERS_TIMEOUT),
			shutdownMs: (values.SHUTDOWN_TIMEOUT ?? SHUTDOWN_TIMEOUT_S) * 1_000,
			idleMs: (values.IDLE_TIMEOUT ?? 0) * 1_000,
		},
	};
	return errors.length > 0 ? { ok: false, errors } : { ok: true, env };
}
