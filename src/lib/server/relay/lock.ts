/**
 * The process that holds this advisory lock of Postgres reads for all. It saves queries and guards nothing: two that believe they hold
 * it do no harm (docs/decisions/0027). Postgres takes it from a process that is silent for a while.
 */
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import { createRenewingClient } from '../db/renewing-client';

/** Any constant of our own; the schema tells installations in one database apart. */
const READER_LOCK = 7_206_871;
const DEADLINE_MS = 2_000;
/** Between two questions whether it is still held. */
export const ASK_EVERY_MS = 2_000;
/** Postgres ends a session that is silent for longer. Behind a pooler that refuses the setting, TCP does. */
const SILENCE = '8s';

export type ReaderLock = {
	held(): boolean;
	/** Tries to get the lock, or makes sure that it is still held. Never rejects. */
	ask(): Promise<boolean>;
	/** Gives it up. */
	release(): void;
	stop(): Promise<void>;
};

/**
 * @param connect makes a client on the direct connection: the lock belongs to a session
 * @param silence as Postgres writes a time
 */
export function createReaderLock(connect: () => Sql, silence = SILENCE): ReaderLock {
	const client = createRenewingClient(connect);
	let held = false;
	let session: Sql | null = null;

	async function ask(): Promise<boolean> {
		try {
			held = await client.run((sql) =>
				withDeadline(take(sql), DEADLINE_MS, 'the lock of the reader'),
			);
		} catch {
			held = false;
		}
		// those that wait keep no connection
		if (!held) client.renew();
		return held;
	}

	async function take(sql: Sql): Promise<boolean> {
		if (session !== sql) {
			await sql`select set_config('idle_session_timeout', ${silence}, false)`.catch(() => {});
			session = sql;
		}
		// a session may take it again: one statement both takes and checks it
		const [row] = await sql<[{ held: boolean }]>`
			select pg_try_advisory_lock(${READER_LOCK}::int, hashtext(${sql.schema.name})) as held`;
		return row.held;
	}

	return {
		held: () => held,
		ask,
		release() {
			held = false;
			client.renew();
		},
		async stop() {
			held = false;
			await client.end(0).catch(() => {});
		},
	};
}
