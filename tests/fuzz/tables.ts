/**
 * Counts the rows of every table that clients without a login must not change, and judges whether the forms that were granted
 * explain each change. All tables but those that the server writes by itself, so a new table is judged too.
 */
import type { Sql } from '../../src/lib/server/db/connect';
import { ATTEMPTS_WINDOW_S } from '../../src/lib/server/access/password';

/** `events` are counted by those who send them; the others follow from the events and from time. */
const OWN = ['events', 'metrics_snapshots', 'rollups', 'rollup_state', 'retention_state', 'meta'];

/** By name: rows of a table; of those that can be ended, how many were; of the audit, each action. */
export type Tables = Readonly<Record<string, number>>;

/** Forms under Settings that were granted. */
export type Granted = Record<SettingsAction, number>;
export const SETTINGS_ACTIONS = ['share', 'unshare', 'makeKey', 'rotateKey', 'revokeKey'] as const;
export type SettingsAction = (typeof SETTINGS_ACTIONS)[number];
export const NOTHING_GRANTED: Readonly<Granted> = {
	share: 0,
	unshare: 0,
	makeKey: 0,
	rotateKey: 0,
	revokeKey: 0,
};

export async function countTables(sql: Sql): Promise<Tables> {
	const tables = await sql<{ name: string }[]>`
		select table_name as name from information_schema.tables
		where table_schema = 'nowboard' and table_type = 'BASE TABLE' and table_name not in ${sql(OWN)}`;
	const counts: Record<string, number> = {};
	for (const { name } of tables) {
		const [row] = await sql<{ count: string }[]>`select count(*) from nowboard.${sql(name)}`;
		counts[name] = Number(row?.count);
	}
	const parts = await sql<{ name: string; count: string }[]>`
		select 'share_links, ended' as name, count(revoked_at) from nowboard.share_links
		union all select 'ingest_keys, ended', count(revoked_at) from nowboard.ingest_keys
		union all select 'meta, of no use', count(*) from nowboard.meta
			where key not in ('epoch', 'identity', 'secret') and key not like 'visitor-salt:%'
		union all select 'audit: ' || action, count(*) from nowboard.audit group by action`;
	for (const { name, count } of parts) counts[name] = Number(count);
	return counts;
}

/** Sentences; empty when all is explained. Pure. @param seconds between the two */
export function findUnexplained(
	before: Tables,
	after: Tables,
	granted: Readonly<Granted>,
	seconds: number,
): string[] {
	const change = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
	const { share, unshare, makeKey, rotateKey, revokeKey } = granted;
	const exactly = (count: number) => [count, count] as const;
	const [links, keys] = [change('share_links, ended'), change('ingest_keys, ended')];
	const refused = change('audit: logins refused');
	// ending what is over is granted as well, and changes nothing
	const rules: Record<string, readonly [least: number, most: number]> = {
		share_links: exactly(share),
		'share_links, ended': [0, unshare],
		ingest_keys: exactly(makeKey + rotateKey),
		'ingest_keys, ended': [rotateKey, rotateKey + revokeKey],
		audit: exactly(share + links + makeKey + keys + refused),
		// once in a window, however often it is guessed
		'audit: logins refused': [0, 1 + Math.floor(seconds / ATTEMPTS_WINDOW_S)],
		'audit: link made': exactly(share),
		'audit: link revoked': exactly(links),
		'audit: key made': exactly(makeKey),
		'audit: key rotated': exactly(rotateKey),
		'audit: key revoked': exactly(keys - rotateKey),
	};
	const names = new Set([...Object.keys(rules), ...Object.keys(before), ...Object.keys(after)]);
	return [...names].flatMap((name) => {
		const [least, most] = rules[name] ?? [0, 0];
		const by = change(name);
		if (by >= least && by <= most) return [];
		const due = least === most ? `${least}` : `${least} to ${most}`;
		return [`${name} changed by ${by}: what was granted explains ${due}`];
	});
}
