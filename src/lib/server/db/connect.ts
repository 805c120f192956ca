/**
 * Connects to Postgres: postgres.js with defaults that survive a restart of the database.
 * Don't hand a client to `drizzle(client)`: that changes how the client reads and writes dates and JSON.
 */
import postgres from 'postgres';
import { parseUrl, type DatabaseAddress } from '../config/database-url';
import {
	readCertificates,
	toTlsOptions,
	type Certificates,
	type Tls,
} from '../config/database-tls';
import { UrlFault } from '../config/url-fault';
import { DEFAULT_SCHEMA, withSchema, type Sql } from './own-schema';

export type { Sql, TransactionSql } from './own-schema';

/** Settings that end statements, transactions and connections. */
const LIMIT_NAMES = [
	'statement_timeout',
	'lock_timeout',
	'idle_session_timeout',
	'idle_in_transaction_session_timeout',
	'transaction_timeout',
] as const;
/** Values for them. Without one, what the role or the database sets holds. */
export type Limits = Partial<Record<(typeof LIMIT_NAMES)[number], string>>;

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
	/** where our tables are; `sql.schema` */
	schema?: string;
	/** shown in pg_stat_activity */
	applicationName?: string;
	/** of `findLimits`. Read whenever a connection starts, so it may be filled in later. */
	limits?: Limits;
};

/**
 * The most connections of one process: two for ingest, three for maintenance and history, one each for keys, viewers,
 * ticks, the write probe, the listener, the drain, catching up, and presence. A relay's reader has one more. The doctor checks that so many are free.
 */
export const MOST_CONNECTIONS = 13;

const DEFAULT_PORT = 5432;
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
 * What a session must have, whatever the role or the database is set to: dates in the form that postgres.js reads, for one.
 * Only settings that PgBouncer keeps for each client; it refuses a connection that asks for any other.
 */
const SESSION = {
	DateStyle: 'ISO, MDY',
	TimeZone: 'UTC',
	standard_conforming_strings: 'on',
};

/** Times are computed as `numeric`: a negative `extra_float_digits` would cut the digits of a float. */
const NUMERIC = { to: 1700, from: [1700], serialize: String, parse: Number };

/**
 * Opens nothing yet: connections are made by the first queries, and made again when they are lost.
 * Without `fetch_types`, `reserve()` never settles on a client that has no open connection: run a query first.
 * @throws UrlFault
 */
export function connect(url: string, options: ConnectOptions = {}): Sql {
	const parsed = parseUrl(url);
	if (!parsed.ok) throw new UrlFault(`The URL of the database ${parsed.fault}`);
	const { address } = parsed;
	const client = postgres({
		...toPlace(address),
		max: options.max ?? 10,
		prepare: options.prepare ?? true,
		idle_timeout: options.idleTimeout === undefined ? IDLE_TIMEOUT_S : (options.idleTimeout ?? 0),
		// null is understood by postgres.js and missing in its types
		max_lifetime: (options.maxLifetime === undefined
			? MAX_LIFETIME_S
			: options.maxLifetime) as number,
		connect_timeout: address.connectTimeoutS ?? CONNECT_TIMEOUT_S,
		backoff: (retries: number) => backoff(retries),
		// nothing awaits its query on every new connection: cancelled, it would end the process
		fetch_types: false,
		onnotice: () => {},
		types: { numeric: NUMERIC },
		connection: {
			application_name: options.applicationName ?? 'nowboard',
			...address.settings,
			...SESSION,
		},
	}) as unknown as postgres.Sql;
	if (options.limits) askFor(client, options.limits, address.settings);
	return withSchema(client, options.schema ?? DEFAULT_SCHEMA);
}

/** postgres.js reads them for each new connection. What the URL sets, its writer wants. */
function askFor(client: postgres.Sql, limits: Limits, written: Record<string, string>) {
	const isWritten = (name: string) => name in written || written.options?.includes(name);
	for (const name of LIMIT_NAMES)
		if (!isWritten(name))
			Object.defineProperty(client.options.connection, name, {
				enumerable: true,
				get: () => limits[name],
			});
}

/** Where and as whom. What the URL leaves out, postgres.js takes from PGHOST, PGUSER and so on. */
function toPlace(address: DatabaseAddress): postgres.Options<Record<string, never>> {
	const { hosts, socket, user, password, database, tls, targetSession } = address;
	const names = hosts.map(({ name }) => name);
	return {
		// lists are understood by postgres.js and missing in its types
		...(hosts.length > 0 && {
			host: names as unknown as string,
			port: hosts.map(({ port }) => port ?? DEFAULT_PORT) as unknown as number,
		}),
		...(socket !== null && { path: socket }),
		...(user !== null && { user }),
		...(password !== null && { password }),
		...(database !== null && { database }),
		// a Unix socket has no TLS
		...(tls !== null && socket === null && { ssl: toTlsOptions(tls, readOrNone(tls), names) }),
		...(tls?.direct && { sslnegotiation: 'direct' }),
		...(targetSession !== null && { target_session_attrs: targetSession }),
	};
}

/** The start has read them (config/variable-rules.ts). Later, without them, the server is not trusted: an attempt fails. */
function readOrNone(tls: Tls): Certificates {
	try {
		return readCertificates(tls);
	} catch {
		return {};
	}
}
