/**
 * The environment of the demo's web server. It is open, so it listens on loopback only, unless HOST is set;
 * its page says that anyone who reaches it can view and send.
 */
import { randomBytes } from 'node:crypto';
import type { DemoKeys } from './demo-keys';

const LOOPBACK = '127.0.0.1';
/** Every address of the machine: reached on loopback too. */
const ANY = ['0.0.0.0', '::'];

export type DemoServer = {
	env: Record<string, string>;
	/** the address that people use */
	url: string;
	/** where this machine reaches it */
	here: string;
	/** opens the settings; everything else needs none */
	password: string;
	/** others may reach it */
	isOpen: boolean;
};

export function toDemoServer({
	databaseUrl,
	port,
	keys,
	given = process.env,
}: {
	databaseUrl: string;
	port: number;
	keys: DemoKeys;
	given?: NodeJS.ProcessEnv;
}): DemoServer {
	const host = given.HOST || LOOPBACK;
	const isOpen = host !== 'localhost' && host !== '::1' && !host.startsWith('127.');
	const toUrl = (name: string) => `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
	const ownUrl = toUrl(isOpen && !ANY.includes(host) ? host : 'localhost');
	const url = given.ORIGIN || ownUrl;
	const password = given.DASHBOARD_PASSWORD || randomBytes(9).toString('base64url');
	return {
		url,
		here: toUrl(ANY.includes(host) ? LOOPBACK : host),
		password,
		isOpen,
		env: {
			DATABASE_URL: databaseUrl,
			DATABASE_DIRECT_URL: given.DATABASE_DIRECT_URL || databaseUrl,
			PORT: String(port),
			HOST: host,
			ORIGIN: url,
			DASHBOARD_PUBLIC: 'true',
			DASHBOARD_PASSWORD: password,
			INGEST_OPEN: 'true',
			NOWBOARD_DEMO: 'true',
			NOWBOARD_DEMO_PUBLIC_KEY: keys.public,
			NOWBOARD_DEMO_SECRET_KEY: keys.secret,
			LOG_LEVEL: given.LOG_LEVEL || 'warn',
			SHUTDOWN_TIMEOUT: given.SHUTDOWN_TIMEOUT || '5',
		},
	};
}
