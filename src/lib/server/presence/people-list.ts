/**
 * The list of who is here, of a view: from memory, with the time of each session's first event, which is read once from the
 * table. Without that table the list comes without times.
 */
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { toFilterTexts, type Condition } from '../../filter';
import { PEOPLE_LENGTH, type PeopleList } from '../../people';
import type { Sql } from '../db/connect';
import { toArray } from '../db/array';
import { withDeadline } from '../db/deadline';
import { MAX_DATE_MS, toIso, toMs } from '../db/time';
import type { Here } from './people';
import type { PresenceReader } from './presence';

export type PeopleLister = {
	/** @returns null: who is here is not known under this filter, or not read yet */
	list(condition: Condition): Promise<PeopleList | null>;
};

const DEADLINE_MS = 1_000;
/** First events that are remembered: a list asks for them again and again. */
const MAX_KNOWN = 20_000;

const toKey = ({ source, sessionId }: Pick<Here, 'source' | 'sessionId'>) =>
	`${source}\0${sessionId}`;

/** @param reader knows who is here; `log` is told of a table that cannot be read */
export function createPeopleLister({
	sql,
	reader,
	log,
}: {
	sql: Sql;
	reader: Pick<PresenceReader, 'list'>;
	log: Pick<Logger, 'warn'>;
}): PeopleLister {
	const since = new LRUCache<string, number>({ max: MAX_KNOWN });

	async function readSince(sessions: readonly Here[]) {
		const ids = sessions.map(({ sessionId }) => sessionId);
		const rows = await sql<{ source: string; session: string; at: number }[]>`
			select source, session_id as session, ${toMs(sql, 'min(created_at)')} as at
			from ${sql.schema}.events where session_id = any(${toArray(ids)}::text[]) group by 1, 2`;
		for (const { source, session, at } of rows)
			if (Math.abs(at) <= MAX_DATE_MS) since.set(toKey({ source, sessionId: session }), at);
	}

	return {
		async list(condition) {
			const found = reader.list(condition, PEOPLE_LENGTH);
			if (!found) return null;
			const unknown = found.people.filter((one) => !since.has(toKey(one)));
			// what a share link hides says nothing of when a session began
			const isBound = toFilterTexts(condition.bound ?? []).length > 0;
			if (unknown.length > 0 && !isBound)
				await withDeadline(readSince(unknown), DEADLINE_MS, 'first events').catch(
					(error: unknown) =>
						log.warn({ reason: String(error) }, 'first events of sessions were not read'),
				);
			const people = found.people.map(({ sessionId: session, ...here }) => {
				const at = isBound ? undefined : since.get(toKey({ ...here, sessionId: session }));
				return { ...here, session, since: at === undefined ? null : toIso(at) };
			});
			return { people, more: found.more };
		},
	};
}
