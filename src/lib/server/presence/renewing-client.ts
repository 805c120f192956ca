/** A client that is replaced after an error: postgres.js may keep a query that it never sends once a connection is lost. */
import type { Sql } from '../db/connect';

export type RenewingClient = {
	run<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
	end(): Promise<void>;
};

export function createRenewingClient(connect: () => Sql): RenewingClient {
	let sql: Sql | null = null;
	return {
		async run(work) {
			const current = (sql ??= connect());
			try {
				return await work(current);
			} catch (error) {
				if (sql === current) sql = null;
				current.end({ timeout: 0 }).catch(() => {});
				throw error;
			}
		},
		end: async () => sql?.end({ timeout: 1 }),
	};
}
