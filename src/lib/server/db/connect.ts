/**
 * How this project connects to Postgres: postgres.js with defaults that survive a restart of the
 * database. Knows no table. What a newcomer gets wrong: a client from here is raw and stays raw;
 * `drizzle(client)` changes how the client it is given reads and writes dates and JSON.
 */
import postgres from 'postgres';

export type Sql = postgres.Sql;

/** postgres.js options that a caller may set; the rest is decided here. */
export type ConnectOptions = {
	/** connections at most */
	max?: number;
	/** false behind a transaction pooler that does not keep prepared statements */
	prepare?: boolean;
	/** seconds until an unused connection is closed; null: never */
	idleTimeout?: number | null;
	/** seconds until a connection is replaced; null: never */
	maxLifetime?: number | null;
	/** shown in pg_stat_activity */
	applicationName?: string;
};

/**
 * What one process has open at most: two lanes of ingest, three for upkeep and history, one each for keys, viewers, ticks, the watch on
 * writing, the listener, the drain and catching up (tests/connections.test.ts). The doctor asks for so much room.
 */
export const MOST_CONNECTIONS = 12;

const CONNECT_TIMEOUT_S = 10;
/** Below the ten minutes after which hosted proxies drop connections of their own accord. */
const MAX_LIFETIME_S = 9 * 60;
const IDLE_TIMEOUT_S = 5 * 60;

/**
 * Seconds to wait before connection attempt `retries`. postgres.js does not count a server that answers
 * FATAL ("starting up", "too many clients") as a retry and would try 70 times a second: hence the floor.
 * Hence also the low cap: after a restart, screens move again within about a second.
 */
export function backoff(retries: number, random: () => number = Math.random): number {
	return Math.min(0.25 * 2 ** retries, 1) * (1 + random() / 4);
}

/**
 * Opens nothing yet: connections are made by the first queries, and made again when they are lost.
 * Without `fetch_types`, `reserve()` never settles on a client that has no open connection: run a query first.
 */
export function connect(url: string, options: ConnectOptions = {}): Sql {
	return postgres(cleanUrl(url).url, {
		max: options.max ?? 10,
		prepare: options.prepare ?? true,
		idle_timeout: options.idleTimeout === undefined ? IDLE_TIMEOUT_S : (options.idleTimeout ?? 0),
		// null is understood by postgres.js and missing in its types
		max_lifetime: (options.maxLifetime === undefined
			? MAX_LIFETIME_S
			: options.maxLifetime) as number,
		connect_timeout: CONNECT_TIMEOUT_S,
		backoff: (retries: number) => backoff(retries),
		// its query on every new connection is awaited by nobody: cancelled, it would end the process
		fetch_types: false,
		onnotice: () => {},
		connection: { application_name: options.applicationName ?? 'nowboard' },
	});
}

/**
 * Parameters that mean something to postgres.js or to every Postgres server. postgres.js hands any other one to
 * the server, which then refuses the connection: `?pgbouncer=true`, `?schema=public`, `?channel_binding=require`.
 */
const KNOWN_PARAMETERS = new Set([
	'ssl',
	'sslmode',
	'sslnegotiation',
	'target_session_attrs',
	'options',
	'search_path',
	'statement_timeout',
	'lock_timeout',
	'timezone',
]);

/** The URL without parameters that Postgres would refuse, and their names. Throws on what is no Postgres URL. */
export function cleanUrl(url: string): { url: string; dropped: string[] } {
	if (!/^postgres(ql)?:\/\//.test(url)) {
		throw new Error(
			'DATABASE_URL must look like postgres://user:password@host:5432/database, and begins differently.',
		);
	}
	const [base = '', query = ''] = url.split(/\?(.*)/s);
	const kept = new URLSearchParams();
	const dropped: string[] = [];
	for (const [name, value] of new URLSearchParams(query)) {
		if (KNOWN_PARAMETERS.has(name.toLowerCase())) kept.append(name, value);
		// the one value that postgres.js reads means "verify, with the system's certificates"
		else if (name === 'sslrootcert' && value === 'system') kept.set('sslmode', 'verify-full');
		else dropped.push(name);
	}
	return { url: kept.size > 0 ? `${base}?${kept}` : base, dropped };
}
