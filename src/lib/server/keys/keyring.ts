/** The ingest keys as the settings page has them: within a deadline, and audited as done there. What they are: key-store.ts. */
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import {
	createKey,
	listNewestKeys,
	revokeKey,
	rotateKey,
	type ListedKey,
	type MadeKey,
} from './key-store';
import type { NewKey } from './parse-new-key';
import type { Listed } from '../db/list-newest';

export type Keyring = {
	create(input: NewKey): Promise<MadeKey>;
	list(): Promise<Listed<ListedKey>>;
	/** Resolves to null when there is none that works. */
	rotate(id: number): Promise<MadeKey | null>;
	revoke(id: number): Promise<ListedKey | null>;
};

const DEADLINE_MS = 2_000;

/** @param sql a pooled client */
export function createKeyring(sql: Sql): Keyring {
	const within = <T>(work: Promise<T>, what: string) => withDeadline(work, DEADLINE_MS, what);
	return {
		create: (input) => within(createKey(sql, input, 'page'), 'making a key'),
		list: () => listNewestKeys(sql),
		rotate: (id) => within(rotateKey(sql, id, 'page'), 'rotating a key'),
		revoke: (id) => within(revokeKey(sql, id, 'page'), 'revoking a key'),
	};
}
