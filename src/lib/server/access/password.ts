/**
 * Checks login attempts against the scrypt hash of the password, with a salt of this process. Every failure
 * takes the same time and gets the same answer, whether the password was wrong or a limit was reached.
 */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createLimiter } from '../http/rate-limiter';

/** OWASP's parameters for interactive use: 64 MiB and some 100 ms an attempt. */
const COST: ScryptOptions = { N: 2 ** 16, r: 8, p: 2, maxmem: 256 * 1024 * 1024 };
const KEY_BYTES = 32;
/** For each address: enough for typing errors, useless for guessing. */
export const ATTEMPTS_PER_ADDRESS = 5;
/** Of all together: addresses are cheap. */
export const ATTEMPTS_IN_ALL = 60;
export const ATTEMPTS_WINDOW_S = 5 * 60;
/** Longer than a comparison takes, so that its end says nothing. */
const FAILURE_MS = 600;

export type PasswordCheck = {
	/**
	 * @param address of the client, as the proxy reports it
	 * @returns false for every failure, at the same time after the call; never says which
	 */
	matches(attempt: string, address: string): Promise<boolean>;
};

/** @param onLimited told whose attempts are no longer compared, at most once in ATTEMPTS_WINDOW_S */
export function createPasswordCheck(
	password: string,
	{
		failureMs = FAILURE_MS,
		cost = COST,
		onLimited = () => {},
	}: {
		failureMs?: number;
		cost?: ScryptOptions;
		onLimited?: (whose: 'of one address' | 'in all') => void;
	} = {},
): PasswordCheck {
	const salt = randomBytes(16);
	const hash = (text: string) =>
		new Promise<Buffer>((resolve, reject) =>
			scrypt(text.normalize('NFC'), salt, KEY_BYTES, cost, (error, key) =>
				error ? reject(error) : resolve(key),
			),
		);
	const expected = hash(password);
	const perAddress = createLimiter({
		points: ATTEMPTS_PER_ADDRESS,
		duration: ATTEMPTS_WINDOW_S,
	});
	const inAll = createLimiter({ points: ATTEMPTS_IN_ALL, duration: ATTEMPTS_WINDOW_S });
	/** one comparison at a time: a flood must not take all the memory and cores */
	let last: Promise<unknown> = Promise.resolve();
	let toldAt = -Infinity;

	async function mayTry(address: string): Promise<boolean> {
		let whose: Parameters<typeof onLimited>[0] = 'of one address';
		try {
			await perAddress.consume(address);
			whose = 'in all';
			await inAll.consume('all');
			return true;
		} catch {
			if (performance.now() - toldAt < ATTEMPTS_WINDOW_S * 1_000) return false;
			toldAt = performance.now();
			onLimited(whose);
			return false;
		}
	}

	async function isIt(attempt: string, address: string): Promise<boolean> {
		if (!(await mayTry(address))) return false;
		const turn = last.then(() => hash(attempt));
		last = turn.catch(() => {});
		if (!timingSafeEqual(await turn, await expected)) return false;
		// a correct password is not a guess
		await perAddress.delete(address);
		return true;
	}

	return {
		async matches(attempt, address) {
			const notBefore = pause(failureMs);
			const right = await isIt(attempt, address);
			if (!right) await notBefore;
			return right;
		},
	};
}
