/**
 * Every environment variable, in the order of the README: what it means, what holds when it is not set, and its rule.
 * `npm run docs` writes the README's table and .env.example from here, and env.ts reads by it. Those that the Node adapter reads
 * itself are here too, so that all mistakes are named together, before the adapter names the first of its own.
 */
import {
	bytes,
	flag,
	headerName,
	host,
	oneOf,
	postgresUrl,
	publicUrl,
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
	/** `rare`: in the README's second table; `internal`: in none */
	shown?: 'rare' | 'internal';
	/** its value when it is not set */
	fallback: T;
	rule: Rule<T>;
};

/** Guessing is slow (password.ts), so length is all that is asked for. */
const MIN_PASSWORD_LENGTH = 8;
/** It can be tried as fast as we answer. */
const MIN_TOKEN_LENGTH = 16;
/** Tokens can be tried without asking us. */
const MIN_SECRET_LENGTH = 32;
/** A hundred years: who means "for ever" says 0. */
const MAX_RETENTION_DAYS = 36_500;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const variable = <T>(one: Variable<T>) => one;
/** Without a value of its own it is null here, and whatever the adapter says there. */
const optional = <T>(one: Omit<Variable<T | null>, 'fallback'>): Variable<T | null> => ({
	...one,
	fallback: null,
});

export const VARIABLES = {
	DATABASE_URL: optional({
		means: 'Postgres for the events. `demo`, `dev` and `test` bring their own when it is not set',
		unset: '–',
		example: 'postgres://user:password@localhost:5432/nowboard',
		rule: postgresUrl,
	}),
	DATABASE_DIRECT_URL: optional({
		means: 'the address without a transaction pooler: LISTEN, reading and migrations',
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
		means: 'where the server listens; `0`: any free port',
		unset: '`3000`',
		example: '3000',
		fallback: 3000,
		rule: whole(0, 65_535),
	}),
	HOST: variable({
		means: 'on which address it listens; behind a proxy on the same machine `127.0.0.1`',
		unset: '`0.0.0.0`',
		example: '127.0.0.1',
		fallback: '0.0.0.0',
		rule: host,
	}),
	ORIGIN: optional({
		means:
			'the address people use, e.g. `https://now.example.com`, or below a path `https://example.com/now`; set it whenever that is not https or has a path',
		unset: '`https://<Host>`',
		example: 'http://localhost:3000',
		rule: publicUrl,
	}),
	DASHBOARD_PASSWORD: optional({
		means: `who gives it may look, and make share links; at least ${MIN_PASSWORD_LENGTH} characters`,
		unset: '–',
		example: '',
		rule: secret(MIN_PASSWORD_LENGTH),
	}),
	DASHBOARD_PUBLIC: variable({
		means: '`true`: everyone may look, without the password. One of the two must be set',
		unset: '`false`',
		example: 'true',
		fallback: false,
		rule: flag,
	}),
	SECRET: optional({
		means: `what tokens for the stream are encrypted with; at least ${MIN_SECRET_LENGTH} characters`,
		unset: 'made once, kept in the database',
		example: '',
		rule: secret(MIN_SECRET_LENGTH, ', as "openssl rand -base64 32" makes them'),
	}),
	ADDRESS_HEADER: optional({
		means:
			'behind a proxy, the header with a visitor’s address, e.g. `X-Forwarded-For`: attempts to log in and requests with a key are limited for each',
		unset: '–',
		example: 'X-Forwarded-For',
		rule: headerName,
	}),
	INGEST_OPEN: variable({
		means:
			'`true`: events are taken without a key and without a limit; one that is given is checked all the same',
		unset: '`false`',
		example: 'true',
		fallback: false,
		rule: flag,
	}),
	RETENTION_DAYS: variable({
		means: 'days that events are kept, `0`: for ever; history stays',
		unset: '`90`',
		example: '90',
		fallback: 90,
		rule: whole(0, MAX_RETENTION_DAYS),
	}),
	METRICS_TOKEN: optional({
		means: `who sends it as \`Authorization: Bearer\` may read \`GET /metrics\` (Prometheus); at least ${MIN_TOKEN_LENGTH} characters`,
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
		means:
			'seconds that open requests may take after SIGTERM; streams are ended at once, and the process within 10 s',
		unset: '`30`',
		example: '30',
		rule: whole(0),
	}),
	LOG_REQUESTS: variable({
		means:
			'`all`: a line at `info` for every request and every stream that ends; `debug`: at `debug`',
		unset: '`debug`',
		example: 'all',
		shown: 'rare',
		fallback: 'debug',
		rule: oneOf(['all', 'debug'] as const),
	}),
	MIGRATIONS_DIR: variable({
		means: 'where the migrations lie, when the server is not started in the project’s folder',
		unset: '`drizzle`',
		example: 'drizzle',
		shown: 'rare',
		fallback: 'drizzle',
		rule: text,
	}),
	XFF_DEPTH: optional({
		means: 'how many proxies there are, when `ADDRESS_HEADER` is `X-Forwarded-For`',
		unset: '`1`',
		example: '1',
		shown: 'rare',
		rule: whole(1),
	}),
	PROTOCOL_HEADER: optional({
		means: 'without `ORIGIN`: the header in which the proxy says `http` or `https`',
		unset: '–',
		example: 'X-Forwarded-Proto',
		shown: 'rare',
		rule: headerName,
	}),
	HOST_HEADER: optional({
		means: 'without `ORIGIN`: the header in which the proxy says the host',
		unset: '`Host`',
		example: 'X-Forwarded-Host',
		shown: 'rare',
		rule: headerName,
	}),
	PORT_HEADER: optional({
		means: 'without `ORIGIN`: the header in which the proxy says the port',
		unset: '–',
		example: 'X-Forwarded-Port',
		shown: 'rare',
		rule: headerName,
	}),
	BODY_SIZE_LIMIT: optional({
		means: 'bytes of a request; events beyond 512 KiB are refused in any case',
		unset: '`512K`',
		example: '512K',
		shown: 'rare',
		rule: bytes,
	}),
	KEEP_ALIVE_TIMEOUT: optional({
		means:
			'seconds for which an unused connection is kept; more than the proxy in front keeps it, or that one must repeat requests',
		unset: '`5`',
		example: '5',
		shown: 'rare',
		rule: whole(0),
	}),
	HEADERS_TIMEOUT: optional({
		means: 'seconds in which a request’s headers must have come',
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
		means: 'with systemd’s socket activation: seconds without a request until it ends',
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

/** An empty value is an unset one. @returns the values that could be read, and every fault with its name */
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
