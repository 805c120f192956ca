/**
 * Marks demo data by its event ids. Simulated and seeded events have ids of a form of their own, so they
 * can be removed from any database without touching real events. A source or property would not do: a real
 * product may be called `web` too.
 */
import { COUNT_WINDOW_MS } from '../../src/lib/protocol';
import type { Sql } from '../../src/lib/server/db/connect';
import { uncount } from '../../src/lib/server/history/rollup';

/**
 * A UUID of version 8, which RFC 9562 (section 5.8) leaves to its maker: "nowboa" in ASCII, then random digits. The ids
 * lie together, so the index on `event_id` finds them.
 */
const PREFIX = '6e6f7762-6f61-8';
const FIRST = '6e6f7762-6f61-8000-0000-000000000000';
const LAST = '6e6f7762-6f61-8fff-ffff-ffffffffffff';

/** The form of `uuid` that says "demo". */
export function toDemoId(uuid: string): string {
	return PREFIX + uuid.slice(PREFIX.length);
}

export type Removed = { events: number; ticks: number };

/**
 * Removes demo events, also from the sums of history, and the ticks that counted them. Everything else
 * stays. Then it renews the epoch, so that open pages and running servers count again: the trigger on
 * DELETE covers events, but not ticks.
 */
export async function clearDemoData(sql: Sql): Promise<Removed> {
	return sql.begin(async (tx) => {
		const ticks = await tx`
			DELETE FROM ${tx.schema}.metrics_snapshots WHERE cursor = 'seed' OR EXISTS (
				SELECT FROM ${tx.schema}.events
				WHERE event_id BETWEEN ${FIRST} AND ${LAST} AND created_at <= recorded_at
					AND created_at > recorded_at - ${COUNT_WINDOW_MS}::integer * interval '1 millisecond'
			)`;
		await uncount(tx, tx`event_id BETWEEN ${FIRST} AND ${LAST}`);
		const events =
			await tx`DELETE FROM ${tx.schema}.events WHERE event_id BETWEEN ${FIRST} AND ${LAST}`;
		const removed = { events: events.count, ticks: ticks.count };
		if (removed.events + removed.ticks > 0) await tx`SELECT ${tx.schema}.nowboard_renew_epoch()`;
		return removed;
	});
}
