/**
 * Short-lived tokens for the stream's address, for whoever cannot send a cookie: encrypted, so that nothing can be read from one in a log;
 * bound to looking, and to the viewer who asked for it, whose end is theirs too. Any instance reads what another has written.
 * It knows no request.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import type { Sql } from 'postgres';
import { withDeadline } from './deadline';
import type { Viewer } from './viewers';

/** Long enough to connect, short enough to be worth nothing in a history: a reconnect asks for a new one. */
export const TOKEN_MS = 5 * 60_000;
const SCOPE = 'look';
const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const;
const DEADLINE_MS = 2_000;

export type Tokens = {
	issue(viewer: Viewer): Promise<{ token: string; expiresAt: number }>;
	/** Resolves to null for whatever is not a token of ours that is still good. */
	read(token: string): Promise<{ hash: string; expiresAt: number } | null>;
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
		async issue({ hash }) {
			const expiresAt = now() + TOKEN_MS;
			const token = await new EncryptJWT({ scope })
				.setProtectedHeader(ENCRYPTION)
				.setSubject(hash)
				.setExpirationTime(Math.floor(expiresAt / 1_000))
				.encrypt(await toKey());
			return { token, expiresAt };
		},
		async read(token) {
			const own = await toKey();
			try {
				const { payload } = await jwtDecrypt(token, own, {
					keyManagementAlgorithms: [ENCRYPTION.alg],
					contentEncryptionAlgorithms: [ENCRYPTION.enc],
					requiredClaims: ['sub', 'exp', 'scope'],
					currentDate: new Date(now()),
				});
				if (payload.scope !== scope) return null;
				return { hash: payload.sub as string, expiresAt: (payload.exp as number) * 1_000 };
			} catch {
				// forged, expired, of another secret, or no token at all: it is the same to whoever asks
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
			insert into meta (key, value) values ('secret', ${made}) on conflict (key) do nothing returning value
		)
		select value from made union all select value from meta where key = 'secret' limit 1`;
	const [row] = await withDeadline(query, DEADLINE_MS, 'reading the secret');
	// made by another in the same moment: not to be seen in this statement's snapshot
	return row ? row.value : readSecret(sql);
}
