/**
 * The salt of the day, which distinguishes visitors without a session id: a hash of address, browser and
 * source with it is stable for a day (UTC) and meaningless once the salt is deleted. All instances share it
 * through the database. Clocks differ at midnight: the salt of an older day must not delete a newer one.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';

const DAY_MS = 24 * 60 * 60_000;
const DEADLINE_MS = 2_000;
const PREFIX = 'visitor-salt:';
/** Of 256 bits of the hash, 132 are enough never to meet twice. */
const ID_LENGTH = 22;

export type VisitorIds = {
	/** The session id of a visitor who has none, for the day. Rejects when the salt cannot be known. */
	of(visitor: { address: string; userAgent: string; source: string }): Promise<string>;
	/**
	 * Deletes the salts of past days from memory and table. Visitors trigger it too, but there may be none.
	 */
	forget(): Promise<void>;
};

/** @param sql a pooled client */
export function createVisitorIds(sql: Sql, now: () => number = Date.now): VisitorIds {
	let today: { day: number; salt: Promise<string> } | null = null;
	const currentDay = () => Math.floor(now() / DAY_MS);

	function saltOf(day: number): Promise<string> {
		if (today?.day === day) return today.salt;
		const salt = readSalt(sql, day);
		today = { day, salt };
		// the next one asks again
		salt.catch(() => (today = null));
		return salt;
	}

	return {
		async of({ address, userAgent, source }) {
			const salt = await saltOf(currentDay());
			const text = JSON.stringify([salt, address, userAgent, source]);
			return `day-${createHash('sha256').update(text).digest('base64url').slice(0, ID_LENGTH)}`;
		},
		async forget() {
			const day = currentDay();
			if (today && today.day !== day) today = null;
			await withDeadline(
				sql`delete from ${sql.schema}.meta where ${isBefore(sql, day)}`,
				DEADLINE_MS,
				'forgetting old salts',
			);
		},
	};
}

/** Compared byte by byte, whatever the database's collation: days have five digits until 2243. */
const isBefore = (sql: Sql, day: number) =>
	sql`key like ${`${PREFIX}%`} and key collate "C" < ${PREFIX + day}`;

/** Made by whichever instance asks first; those of earlier days are forgotten. */
async function readSalt(sql: Sql, day: number): Promise<string> {
	const key = PREFIX + day;
	const made = randomBytes(32).toString('base64url');
	const query = sql<{ value: string }[]>`
		with gone as (
			delete from ${sql.schema}.meta where ${isBefore(sql, day)}
		), made as (
			insert into ${sql.schema}.meta (key, value) values (${key}, ${made}) on conflict (key) do nothing returning value
		)
		select value from made union all select value from ${sql.schema}.meta where key = ${key} limit 1`;
	const [row] = await withDeadline(query, DEADLINE_MS, 'reading the salt of the day');
	// made by another in the same moment: not to be seen in this statement's snapshot
	return row ? row.value : readSalt(sql, day);
}
