/**
 * Which history of which database the cursors belong to: the epoch. It is bound to what identifies the cluster, its
 * timeline and the database, so that a promotion, a recovery to a point in time or a restored copy is noticed.
 * Runs before a process begins to read, on any number of processes at once.
 */
import type { Sql } from '../db/connect';
import type { Cursor } from './cursor';
import { StandbyError } from '../db/errors';

/** Advisory lock key of the epoch's renewal (any constant of our own). */
const EPOCH_LOCK = 7_206_871_102n;
/** Rows given transaction 0 at once. */
const REPAIR_BATCH = 5_000;

/**
 * Makes sure that the epoch belongs to this history, and that nothing on the screens was deleted in it; a new one ends all cursors.
 * @throws StandbyError in recovery
 * @param reached a cursor this process has stood at: a database that has not come so far is another history of itself
 */
export async function settleEpoch(sql: Sql, reached: Cursor | null): Promise<void> {
	await sql.begin(async (tx) => {
		await tx`select pg_advisory_xact_lock(${EPOCH_LOCK.toString()}::bigint)`;
		const [found] = await tx<
			{ epoch: string | null; mine: boolean; behind: boolean; recount: boolean; standby: boolean }[]
		>`
			select pg_is_in_recovery() as standby, (select value from ${tx.schema}.meta where key = 'epoch') as epoch,
				coalesce((select value from ${tx.schema}.meta where key = 'identity') = ${tx.schema}.nowboard_identity(), false) as mine,
				${(reached?.last ?? 0n).toString()}::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) as behind,
				exists (select from ${tx.schema}.deletions where recount) as recount`;
		if (found?.standby) throw new StandbyError();
		const isBehind = found?.behind && found.epoch === reached?.epoch;
		if (!found?.mine || isBehind || found.recount)
			await tx`select ${tx.schema}.nowboard_renew_epoch()`;
	});
}

/** Before anything is written. @throws StandbyError in recovery */
export async function refuseStandby(sql: Sql): Promise<void> {
	const [found] = await sql<{ standby: boolean }[]>`select pg_is_in_recovery() as standby`;
	if (found?.standby) throw new StandbyError();
}

/**
 * A dump restored into another cluster carries transaction ids of that one. Those that this one has not reached are unseen for
 * ever, and those of transactions that run right now (their own rows are not visible yet) would come a second time as theirs.
 * They become transaction 0, before every cursor. @returns the number of rows repaired
 */
export async function repairForeignTransactions(
	sql: Sql,
	onProgress: (rows: number) => void,
): Promise<number> {
	let repaired = 0;
	for (;;) {
		const { count } = await sql`
			update ${sql.schema}.events set tx = '0' where id in (
				(select id from ${sql.schema}.events where tx >= pg_snapshot_xmax(pg_current_snapshot())
					order by tx desc limit ${REPAIR_BATCH})
				union all
				(select id from pg_snapshot_xip(pg_current_snapshot()) as running, ${sql.schema}.events
					where tx = running limit ${REPAIR_BATCH}))`;
		if (count === 0) return repaired;
		repaired += count;
		onProgress(repaired);
	}
}
