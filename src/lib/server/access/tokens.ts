/**
 * Short-lived encrypted tokens for the stream's address, for clients that cannot send a cookie. A token is
 * for viewing only, and ends with the viewer who requested it. Any instance can read it. It contains the
 * viewer's token, not its hash: a database backup contains the hash, and may contain the secret.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';

/** Long enough to connect, short enough to be worth nothing in a history: a reconnect asks for a new one. */
export const TOKEN_MS = 5 * 60_000;
const SCOPE = 'look';
const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const;
const DEADLINE_MS = 2_000;
/** By how much the clocks of two instances may differ. */
const SKEW_MS = 60_000;

export type Tokens = {
	/** @param own what the viewer is known by: the token of the cookie */
	issue(own: string): Promise<{ token: string; expiresAt: number }>;
	/** Resolves to null for whatever is not a token of ours that is still good. */
	read(token: string): Promise<{ own: string; expiresAt: number } | null>;
};

/** @param secret of all instances together; asked once */
export function createTokens(
	secret: () => Promise<string>,
	{ now = Date.now, scope = SCOPE }: { now?: () => number; scope?: string } = {},
): Tokens {
	let key: Promise<Uint8Array> | null = null;
	const toKey = () => {
		key ??= secret().then(
			(text) => new Uint8Array(hkdfSync('sha256', text, '', 'nowboard stream tokens', 32)),
		);
		// the next one asks again
		key.catch(() => (key = null));
		return key;
	};
	return {
		async issue(own) {
			const expiresAt = now() + TOKEN_MS;
			const token = await new EncryptJWT({ scope })
				.setProtectedHeader(ENCRYPTION)
				.setSubject(own)
				.setExpirationTime(Math.floor(expiresAt / 1_000))
				.encrypt(await toKey());
			return { token, expiresAt };
		},
		async read(token) {
			const secretKey = await toKey();
			try {
				const { payload } = await jwtDecrypt(token, secretKey, {
					keyManagementAlgorithms: [ENCRYPTION.alg],
					contentEncryptionAlgorithms: [ENCRYPTION.enc],
					requiredClaims: ['sub', 'exp', 'scope'],
					currentDate: new Date(now()),
				});
				const expiresAt = (payload.exp as number) * 1_000;
				if (payload.scope !== scope || expiresAt > now() + TOKEN_MS + SKEW_MS) return null;
				return { own: payload.sub as string, expiresAt };
			} catch {
				// forged, expired, of another secret, or not a token: the client gets the same answer
				return null;
			}
		},
	};
}

/** The secret of all instances of a database: made by whichever asks first. */
export async function readSecret(sql: Sql): Promise<string> {
	const made = randomBytes(32).toString('base64url');
	const query = sql<{ value: string }[]>`
		with made as (
			insert into ${sql.schema}.meta (key, value) values ('secret', ${made}) on conflict (key) do nothing returning value
		)
		select value from made union all select value from ${sql.schema}.meta where key = 'secret' limit 1`;
	const [row] = await withDeadline(query, DEADLINE_MS, 'reading the secret');
	// made by another in the same moment: not to be seen in this statement's snapshot
	return row ? row.value : readSecret(sql);
}
