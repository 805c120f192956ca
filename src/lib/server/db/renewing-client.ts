/**
 * A client that can be replaced: after a lost connection postgres.js may keep a query that it never sends, so after a
 * failure the next query goes to a fresh client.
 */
import type { Sql } from './connect';

export type RenewingClient = {
	/** The client of now, created when it is first asked for. */
	sql(): Sql;
	/** Hands the client of now to `work`; when it fails, the next is a fresh one. Rejects as `work` does. */
	run<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
	/** Drops the client; the next `sql()` is a fresh one. */
	renew(): void;
	/** Ends the client, and waits for its queries so many seconds. */
	end(timeoutS: number): Promise<void>;
};

/** Connects at the first use. @param connect makes a client */
export function createRenewingClient(connect: () => Sql): RenewingClient {
	let sql: Sql | null = null;
	const current = () => (sql ??= connect());
	function renew() {
		if (sql) dropClient(sql);
		sql = null;
	}
	return {
		sql: current,
		async run(work) {
			const used = current();
			try {
				return await work(used);
			} catch (error) {
				// unless it has been renewed meanwhile
				if (sql === used) renew();
				throw error;
			}
		},
		renew,
		end: async (timeoutS) => sql?.end({ timeout: timeoutS }),
	};
}

/** Ends the client at once, without waiting for what it was asked. */
export function dropClient(sql: Sql): void {
	sql.end({ timeout: 0 }).catch(() => {});
}
