/** The ingest keys as the settings page has them: within a deadline, and audited as done there. What they are is ingest-keys.ts. */
import type { Sql } from 'postgres';
import { withDeadline } from './deadline';
import {
	createKey,
	listKeys,
	revokeKey,
	rotateKey,
	type ListedKey,
	type MadeKey,
} from './ingest-keys';
import type { NewKey } from './key-input';

export type Keyring = {
	create(input: NewKey): Promise<MadeKey>;
	/** Those that work first, the newest first; then those that were revoked. */
	list(): Promise<ListedKey[]>;
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
		async list() {
			const keys = (await within(listKeys(sql), 'reading the keys')).reverse();
			return [...keys.filter((key) => !key.revokedAt), ...keys.filter((key) => key.revokedAt)];
		},
		rotate: (id) => within(rotateKey(sql, id, 'page'), 'rotating a key'),
		revoke: (id) => within(revokeKey(sql, id, 'page'), 'revoking a key'),
	};
}
