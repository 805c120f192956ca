/** Whether NOTIFY arrives where the server listens, and what is in the way when it does not. */
import type { Sql } from '../../src/lib/server/db/connect';
import { startListener } from '../../src/lib/server/reader/listener';
import { well, wrong, type Finding } from './finding';

/** @param one DATABASE_URL alone is set */
export async function examineListen(open: () => Sql, one: boolean): Promise<Finding> {
	const { state, reason } = await hear(open);
	if (state === 'up') return well('LISTEN', 'NOTIFY arrives');
	if (!(await changesBackends(open)))
		return wrong(
			'LISTEN',
			`NOTIFY does not arrive (${reason}), though no pooler shows itself`,
			'Look at what stands between here and Postgres: DATABASE_DIRECT_URL must name Postgres itself.',
		);
	const says = 'NOTIFY does not arrive: a pooler in transaction mode is in the way';
	return one
		? wrong(
				'LISTEN',
				says,
				'Set DATABASE_DIRECT_URL to the address without the pooler (docs/deploy/pooled-database.md); DATABASE_URL may stay.',
			)
		: wrong(
				'LISTEN',
				`${says}, behind DATABASE_DIRECT_URL too`,
				'DATABASE_DIRECT_URL must be the address without the pooler, or of one in session mode (docs/deploy/pooled-database.md).',
			);
}

async function hear(open: () => Sql) {
	let listener: ReturnType<typeof startListener> | undefined;
	const heard = await new Promise<{ state: string; reason: string }>((resolve) => {
		listener = startListener({
			connect: open,
			onBell: () => {},
			onState: (state, reason) => resolve({ state, reason }),
		});
	});
	await listener?.stop();
	return heard;
}

/**
 * A connection keeps its backend for life, unless a pooler gives it another: shown while a second
 * connection holds the first one's.
 */
async function changesBackends(open: () => Sql): Promise<boolean> {
	const [first, second] = [open(), open()];
	const backend = async (sql: Sql) => (await sql`select pg_backend_pid() as pid`)[0]?.pid as number;
	try {
		const before = await backend(first);
		let during = before;
		await second.begin(async (sql) => {
			await sql`select 1`;
			during = await backend(first);
		});
		return before !== during;
	} finally {
		for (const sql of [first, second]) await sql.end({ timeout: 0 }).catch(() => {});
	}
}
