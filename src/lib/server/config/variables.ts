/**
 * Every environment variable, in the order of the documentation: what it means, what holds when it is not set, and its rule.
 * `npm run docs` writes docs/configuration.md and .env.example from here, and env.ts reads by it. Those that the Node adapter reads
 * itself are here too, so that all mistakes are named together, before the adapter names the first of its own.
 */
import {
	addressRanges,
	bytes,
	flag,
	headerName,
	host,
	hostNames,
	names,
	oneOf,
	postgresUrl,
	publicUrl,
	relayUrl,
	schemaName,
	secret,
	text,
	whole,
	type Rule,
} from './variable-rules';
import { DEFAULT_SCHEMA } from '../db/own-schema';

export type Variable<T = unknown> = {
	/** Markdown */
	means: string;
	/** what holds when it is not set, in Markdown */
	unset: string;
	/** for .env.example, behind `NAME=` */
	example: string;
	/** `rare`: in the second table of docs/configuration.md; `internal`: in none */
	shown?: 'rare' | 'internal';
	/** its value when it is not set */
	fallback: T;
	rule: Rule<T>;
};

/** Guessing is slow (password.ts), so only the length is checked. */
const MIN_PASSWORD_LENGTH = 8;
/** Attackers can try tokens as fast as the server answers. */
const MIN_TOKEN_LENGTH = 16;
/** Attackers can try secrets on a token offline. */
const MIN_SECRET_LENGTH = 32;
/** A hundred years; "for ever" is 0. */
const MAX_RETENTION_DAYS = 36_500;
const RELAY_ROLES = ['all', 'edge'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const variable = <T>(one: Variable<T>) => one;
/** Without a value it is null here; the adapter has its own default. */
const optional = <T>(one: Omit<Variable<T | null>, 'fallback'>): Variable<T | null> => ({
	...one,
	fallback: null,
});

export const VARIABLES = {
	DATABASE_URL: optional({
		means: 'Postgres for the events. `demo`, `dev` and `test` start their own when it is not set',
		unset: '–',
		example: 'postgres://user:password@localhost:5432/nowboard',
		rule: postgresUrl,
	}),
	DATABASE_DIRECT_URL: optional({
		means: 'the address without a transaction pooler, for LISTEN, reading and migrations',
		unset: '`DATABASE_URL`',
		example: '',
		rule: postgresUrl,
	}),
	DATABASE_SCHEMA: variable({
		means: 'the schema that holds everything of Nowboard; decide before the first start',
		unset: `\`${DEFAULT_SCHEMA}\``,
		example: DEFAULT_SCHEMA,
		shown: 'rare',
		fallback: DEFAULT_SCHEMA,
		rule: schemaName,
	}),
	DATA_DIR: variable({
		means: 'where the embedded Postgres keeps its data',
		unset: '`.data`',
		example: '.data',
		fallback: '.data',
		rule: text,
	}),
	PORT: variable({
		means: 'the port to listen on; `0`: any free port',
		unset: '`3000`',
		example: '3000',
		fallback: 3000,
		rule: whole(0, 65_535),
	}),
	HOST: variable({
		means: 'the address to listen on; behind a proxy on the same machine: `127.0.0.1`',
		unset: '`0.0.0.0`',
		example: '127.0.0.1',
		fallback: '0.0.0.0',
		rule: host,
	}),
	ORIGIN: optional({
		means:
			'the address people use, e.g. `https://now.example.com`, or below a path `https://example.com/now`; set it when that is not https, or has a path',
		unset: '`https://<Host>`',
		example: 'http://localhost:3000',
		rule: publicUrl,
	}),
	DASHBOARD_PASSWORD: optional({
		means: `the password to log in; at least ${MIN_PASSWORD_LENGTH} characters`,
		unset: '–',
		example: '',
		rule: secret(MIN_PASSWORD_LENGTH),
	}),
	DASHBOARD_PUBLIC: variable({
		means: '`true`: anyone can view the dashboard without the password. One of the two must be set',
		unset: '`false`',
		example: 'true',
		fallback: false,
		rule: flag,
	}),
	SECRET: optional({
		means: `encrypts the tokens for the stream; at least ${MIN_SECRET_LENGTH} characters`,
		unset: 'generated once, kept in the database',
		example: '',
		rule: secret(MIN_SECRET_LENGTH, ', as "openssl rand -base64 32" makes them'),
	}),
	ADDRESS_HEADER: optional({
		means:
			'behind a proxy, the header with the client’s address, e.g. `X-Forwarded-For`; login attempts and events are rate-limited by address',
		unset: '–',
		example: 'X-Forwarded-For',
		rule: headerName,
	}),
	INGEST_OPEN: variable({
		means:
			'`true`: accepts events without a key and without rate limits; a key that is sent is still checked',
		unset: '`false`',
		example: 'true',
		fallback: false,
		rule: flag,
	}),
	RETENTION_DAYS: variable({
		means: 'days to keep events, `0`: for ever; history stays',
		unset: '`90`',
		example: '90',
		fallback: 90,
		rule: whole(0, MAX_RETENTION_DAYS),
	}),
	PRESENCE: variable({
		means: '`false`: does not record or show [who is here now](presence.md)',
		unset: '`true`',
		example: 'true',
		fallback: true,
		rule: flag,
	}),
	RELAY_URL: optional({
		means:
			'Redis or Valkey, through which several instances [share one reader](relay.md); `rediss://` for TLS',
		unset: 'each instance reads from Postgres',
		example: 'redis://localhost:6379/0',
		rule: relayUrl,
	}),
	RELAY_ROLE: variable<(typeof RELAY_ROLES)[number]>({
		means:
			'`all`: reads from Postgres for all when no other does, and for itself while the relay is away; `edge`: waits for the relay',
		unset: '`all`',
		example: 'edge',
		fallback: 'all',
		rule: oneOf(RELAY_ROLES),
	}),
	EXCLUDE_ADDRESSES: variable<string[]>({
		means:
			'[own visits](sending-events.md#own-visits): addresses and ranges, e.g. `192.0.2.0/24,2001:db8::/32`. What visitors send from there is not counted',
		unset: '–',
		example: '192.0.2.0/24',
		fallback: [],
		rule: addressRanges,
	}),
	EXCLUDE_HOSTS: variable<string[]>({
		means: 'hosts of pages that are not counted, e.g. `localhost,*.staging.example.com`',
		unset: '–',
		example: 'localhost',
		fallback: [],
		rule: hostNames,
	}),
	EXCLUDE_USERS: variable<string[]>({
		means: 'values of `userId` that are not counted, separated by commas',
		unset: '–',
		example: '',
		fallback: [],
		rule: names,
	}),
	METRICS_TOKEN: optional({
		means: `the token that \`GET /metrics\` (Prometheus) requires as \`Authorization: Bearer\`; at least ${MIN_TOKEN_LENGTH} characters`,
		unset: '–',
		example: '',
		rule: secret(MIN_TOKEN_LENGTH),
	}),
	LOG_LEVEL: variable({
		means: LOG_LEVELS.map((level) => `\`${level}\``).join(', '),
		unset: '`info`',
		example: 'info',
		fallback: 'info',
		rule: oneOf(LOG_LEVELS),
	}),
	SHUTDOWN_TIMEOUT: optional({
		means: 'seconds for open requests after SIGTERM; streams end at once, the process within 10 s',
		unset: '`30`',
		example: '30',
		rule: whole(0),
	}),
	LOG_REQUESTS: variable({
		means: '`all`: logs every request and every stream that ends at `info`; `debug`: at `debug`',
		unset: '`debug`',
		example: 'all',
		shown: 'rare',
		fallback: 'debug',
		rule: oneOf(['all', 'debug'] as const),
	}),
	MIGRATIONS_DIR: variable({
		means: 'the folder of the migrations, when the server does not start in the project’s folder',
		unset: '`drizzle`',
		example: 'drizzle',
		shown: 'rare',
		fallback: 'drizzle',
		rule: text,
	}),
	XFF_DEPTH: optional({
		means: 'the number of proxies, when `ADDRESS_HEADER` is `X-Forwarded-For`',
		unset: '`1`',
		example: '1',
		shown: 'rare',
		rule: whole(1),
	}),
	COUNTRY_HEADER: optional({
		means:
			'the header in which a trusted proxy names the visitor’s country, e.g. `CF-IPCountry`; the address is not looked up then',
		unset: '–',
		example: 'CF-IPCountry',
		shown: 'rare',
		rule: headerName,
	}),
	GEOIP_FILE: optional({
		means: 'a country file in MaxMind’s format (.mmdb), instead of the one that comes along',
		unset: 'the file of `@ip-location-db/geo-whois-asn-country-mmdb`',
		example: '/var/lib/GeoIP/GeoLite2-Country.mmdb',
		shown: 'rare',
		rule: text,
	}),
	PROTOCOL_HEADER: optional({
		means: 'without `ORIGIN`: the proxy’s header with `http` or `https`',
		unset: '–',
		example: 'X-Forwarded-Proto',
		shown: 'rare',
		rule: headerName,
	}),
	HOST_HEADER: optional({
		means: 'without `ORIGIN`: the proxy’s header with the host',
		unset: '`Host`',
		example: 'X-Forwarded-Host',
		shown: 'rare',
		rule: headerName,
	}),
	PORT_HEADER: optional({
		means: 'without `ORIGIN`: the proxy’s header with the port',
		unset: '–',
		example: 'X-Forwarded-Port',
		shown: 'rare',
		rule: headerName,
	}),
	BODY_SIZE_LIMIT: optional({
		means: 'bytes of a request; events beyond 512 KiB are always rejected',
		unset: '`512K`',
		example: '512K',
		shown: 'rare',
		rule: bytes,
	}),
	KEEP_ALIVE_TIMEOUT: optional({
		means:
			'seconds to keep an idle connection; set it above the proxy’s, unless the proxy retries requests',
		unset: '`5`',
		example: '5',
		shown: 'rare',
		rule: whole(0),
	}),
	HEADERS_TIMEOUT: optional({
		means: 'seconds for a request’s headers to arrive',
		unset: '`60`',
		example: '60',
		shown: 'rare',
		rule: whole(0),
	}),
	SOCKET_PATH: optional({
		means: 'a Unix socket to listen on, instead of `HOST` and `PORT`',
		unset: '–',
		example: '/run/nowboard/nowboard.sock',
		shown: 'rare',
		rule: text,
	}),
	IDLE_TIMEOUT: optional({
		means: 'with systemd’s socket activation: seconds without a request before the process ends',
		unset: '–',
		example: '60',
		shown: 'rare',
		rule: whole(0),
	}),
	NOWBOARD_DEMO: variable({
		means: 'the page says that its data is simulated, and can switch the simulator off',
		unset: '`false`',
		example: '',
		shown: 'internal',
		fallback: false,
		rule: flag,
	}),
	NOWBOARD_DEMO_PUBLIC_KEY: optional({
		means: 'what the demo’s page shows as its public key',
		unset: '–',
		example: '',
		shown: 'internal',
		rule: text,
	}),
	NOWBOARD_DEMO_SECRET_KEY: optional({
		means: 'what the demo’s page shows as its secret key',
		unset: '–',
		example: '',
		shown: 'internal',
		rule: text,
	}),
};

type Table = typeof VARIABLES;
export type VariableName = keyof Table;
export type Values = { [K in VariableName]: Table[K] extends Variable<infer T> ? T : never };

/** An empty value counts as unset. @returns the valid values, and every fault with its variable's name */
export function readVariables(source: Record<string, string | undefined>): {
	values: Values;
	faults: string[];
} {
	const faults: string[] = [];
	const entries = Object.entries(VARIABLES).map(([name, { rule, fallback }]) => {
		const given = source[name];
		if (!given) return [name, fallback];
		const parsed = rule(given);
		if (!parsed.ok) faults.push(`${name} ${parsed.fault}`);
		return [name, parsed.ok ? parsed.value : fallback];
	});
	return { values: Object.fromEntries(entries) as Values, faults };
}
