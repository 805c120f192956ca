/** The relay of one process, over Redis or Valkey. */
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import { createReaderLock } from './lock';
import { FORMAT } from './message';
import { createRedisChannel } from './redis';
import { createRelay, type Relay, type RelayRole } from './relay';

/** The stream: one for each format, database and schema, so that installations may share a Redis. */
export function toKey(databaseUrl: string, schema: string): string {
	const database = databaseUrl.split('?')[0]?.split('/').pop() ?? '';
	return `nowboard:${FORMAT}:${database}:${schema}`;
}

/** Opens nothing before its `start`. @param connect makes a client on the direct connection */
export function createRedisRelay(
	{ url, role }: { url: string; role: RelayRole },
	{ databaseUrl, databaseSchema }: { databaseUrl: string; databaseSchema: string },
	{ connect, log }: { connect: () => Sql; log: Logger },
): Relay {
	const channel = createRedisChannel({ url, key: toKey(databaseUrl, databaseSchema) });
	return createRelay({ role, channel, lock: createReaderLock(connect), log });
}
