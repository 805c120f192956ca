/**
 * A client that can be replaced: after a lost connection postgres.js may keep a query that it never sends, so after a
 * failure the next query goes to a fresh client.
 */
import type { Sql } from './connect';

export type RenewingClient = {
	/** The client of now, created when it is first asked for. */
	sql(): Sql;
	/** Drops the client; the next `sql()` is a fresh one. */
	renew(): void;
	/** Ends the client, and waits for its queries so many seconds. */
	end(timeoutS: number): Promise<void>;
};

export function createRenewingClient(connect: () => Sql): RenewingClient {
	let sql: Sql | null = null;
	return {
		sql: () => (sql ??= connect()),
		renew() {
			if (sql) dropClient(sql);
			sql = null;
		},
		end: async (timeoutS) => sql?.end({ timeout: timeoutS }),
	};
}

/** Ends the client at once, without waiting for what it was asked. */
export function dropClient(sql: Sql): void {
	sql.end({ timeout: 0 }).catch(() => {});
}
