/** Tokens of sessions and share links. The database keeps only their hash. */
import { createHash, randomBytes } from 'node:crypto';

/** As `createToken` makes them: anything else need not be looked up. */
const TOKEN = /^[\w-]{43}$/;

/** Whether it can be one at all. */
export const isToken = (text: string) => TOKEN.test(text);

/** 32 random bytes and their hash. A fast hash is enough, for they cannot be guessed. */
export function createToken(): { token: string; hash: string } {
	const token = randomBytes(32).toString('base64url');
	return { token, hash: hashToken(token) };
}

/** As the tables keep it: SHA-256, hexadecimal. */
export function hashToken(token: string): string {
	return createHash('sha256').update(token).digest('hex');
}
