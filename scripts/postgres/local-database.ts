/**
 * The database of a command: DATABASE_URL when set, else one in the embedded Postgres. The demo has a database
 * of its own there, so that simulated visitors never mix with real ones.
 */
import { existsSync } from 'node:fs';
import { readVariables } from '../../src/lib/server/config/variables';
import { connect } from '../../src/lib/server/db/connect';
import { parseUrl } from '../../src/lib/server/config/database-url';
import { findRunningPostgres, startPostgres } from './embedded';
import type { Part } from '../process/supervise';

export type LocalDatabase = Part & {
	url: string;
	/** DATABASE_SCHEMA, or what stands for it */
	schema: string;
};

const log = (line: string) => console.log(line);

/** Reads `.env` as `npm start` does. Creates the database when it is missing; migrates nothing. */
export async function openDatabase(database: 'nowboard' | 'nowboard_demo'): Promise<LocalDatabase> {
	loadEnv();
	const given = process.env.DATABASE_URL;
	if (given) {
		log(`Using the database of DATABASE_URL (${toPlace(given)}).`);
		return { ...nothingToStop(), url: given, schema: readSchema() };
	}
	const dataDir = process.env.DATA_DIR || '.data';
	const server = await startPostgres({ dataDir, log });
	await createMissing(server.url, database);
	return {
		name: 'database',
		url: withName(server.url, database),
		schema: readSchema(),
		exited: server.exited.then(() => 'see postgres.log in the data folder'),
		stop: (force) => server.stop(force ? 'immediate' : 'fast'),
	};
}

/** For short commands: joins the embedded Postgres of a running `npm run dev` instead of refusing to start beside it. */
export async function joinDatabase(database: 'nowboard' | 'nowboard_demo'): Promise<LocalDatabase> {
	loadEnv();
	const running = process.env.DATABASE_URL
		? undefined
		: findRunningPostgres(process.env.DATA_DIR || '.data');
	if (!running) return openDatabase(database);
	await createMissing(running, database);
	return { ...nothingToStop(), url: withName(running, database), schema: readSchema() };
}

/** Where it is, without the password. */
function toPlace(url: string): string {
	const parsed = parseUrl(url);
	if (!parsed.ok) throw new Error(`DATABASE_URL ${parsed.fault}`);
	const { hosts, socket, database } = parsed.address;
	const names = hosts.map(({ name, port }) => (port === null ? name : `${name}:${port}`));
	return `${socket ?? (names.join(',') || 'localhost')}, "${database ?? ''}"`;
}

function loadEnv(): void {
	if (existsSync('.env')) process.loadEnvFile('.env');
}

function readSchema(): string {
	const { values, faults } = readVariables({ DATABASE_SCHEMA: process.env.DATABASE_SCHEMA });
	if (faults[0]) throw new Error(faults[0]);
	return values.DATABASE_SCHEMA;
}

function nothingToStop(): Part {
	return { name: 'database', exited: new Promise(() => {}), stop: async () => {} };
}

/** The URL of another database on the same server; not for a URL that a person has written. */
export function withName(serverUrl: string, database: string): string {
	const url = new URL(serverUrl);
	url.pathname = `/${database}`;
	return url.href;
}

async function createMissing(serverUrl: string, database: string): Promise<void> {
	const sql = connect(serverUrl, { max: 1 });
	try {
		const found = await sql`SELECT FROM pg_database WHERE datname = ${database}`;
		if (found.length === 0) await sql`CREATE DATABASE ${sql(database)}`;
	} finally {
		await sql.end({ timeout: 5 });
	}
}
