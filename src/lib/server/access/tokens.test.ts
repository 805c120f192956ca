import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { createTokens, readSecret, TOKEN_MS } from './tokens';

const OWN = 'a'.repeat(43);
const create = (secret: string, options = {}) => createTokens(async () => secret, options);

test('what one instance writes, another with the same secret reads, for as long as it is good', async () => {
	let time = Date.now();
	const { token, expiresAt } = await create('one').issue(OWN);
	const other = create('one', { now: () => time });
	expect((await other.read(token))?.own).toBe(OWN);
	expect(token).not.toContain(OWN);
	time = expiresAt + 1_000;
	expect(await other.read(token)).toBeNull();
	expect(TOKEN_MS).toBeLessThan(10 * 60_000);
});

test('nothing else is read', async () => {
	const tokens = create('one');
	const { token } = await tokens.issue(OWN);
	const [head, ...rest] = token.split('.') as [string, ...string[]];
	const none = Buffer.from('{"alg":"none"}').toString('base64url');
	const attempts = [
		['of another secret', (await create('two').issue(OWN)).token],
		[
			'good for longer than any',
			(await create('one', { now: () => Date.now() + 3_600_000 }).issue(OWN)).token,
		],
		['for something else', (await create('one', { scope: 'write' }).issue(OWN)).token],
		[
			'one letter changed',
			`${token.slice(0, -8)}${token.at(-8) === 'x' ? 'y' : 'x'}${token.slice(-7)}`,
		],
		['cut', token.slice(0, -4)],
		['its head replaced', [none, ...rest].join('.')],
		['a part left out', [head, ...rest.slice(1)].join('.')],
		['signed instead of encrypted', `${none}.${Buffer.from('{"sub":"x"}').toString('base64url')}.`],
		['empty', ''],
		['9,000 bytes', 'x'.repeat(9_000)],
	] as const;
	for (const [what, attempt] of attempts)
		expect([what, await tokens.read(attempt)]).toEqual([what, null]);
});

test('instances that start at once agree on a secret, and it stays', async () => {
	const { sql } = await useDatabase();
	const secrets = await Promise.all(Array.from({ length: 5 }, () => readSecret(sql)));
	expect(new Set([...secrets, await readSecret(sql)]).size).toBe(1);
	expect(secrets[0]).toMatch(/^[\w-]{43}$/);
});
