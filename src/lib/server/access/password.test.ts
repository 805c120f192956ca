import { expect, test } from 'vitest';
import { ATTEMPTS_IN_ALL, ATTEMPTS_PER_ADDRESS, createPasswordCheck } from './password';

const RIGHT = 'correct horse';
const FAILURE_MS = 60;
const create = () => createPasswordCheck(RIGHT, { failureMs: FAILURE_MS, cost: { N: 16 } });

test('the password is let in, also when its letters are composed in another way; nothing else is', async () => {
	const check = createPasswordCheck('caf\u00e9 caf\u00e9', { failureMs: 0, cost: { N: 16 } });
	const attempts = ['caf\u00e9 caf\u00e9', 'cafe\u0301 cafe\u0301', 'cafe cafe', 'caf\u00e9', ''];
	const answers: boolean[] = [];
	for (const attempt of attempts) answers.push(await check.matches(attempt, attempt));
	expect(answers).toEqual([true, true, false, false, false]);
});

test('after too many wrong ones an address is refused, with the right one too; another is not', async () => {
	const check = create();
	for (let i = 0; i < ATTEMPTS_PER_ADDRESS; i++)
		expect(await check.matches('wrong', 'one')).toBe(false);
	expect(await check.matches(RIGHT, 'one')).toBe(false);
	expect(await check.matches(RIGHT, 'another')).toBe(true);
});

test('who gives the right one has all attempts again', async () => {
	const check = create();
	for (let round = 0; round < 3; round++) {
		for (let i = 1; i < ATTEMPTS_PER_ADDRESS; i++) await check.matches('wrong', 'one');
		expect(await check.matches(RIGHT, 'one')).toBe(true);
	}
});

test('that a limit was reached is told, once in its time', async () => {
	const told: string[] = [];
	const onLimited = (whose: string) => void told.push(whose);
	const check = createPasswordCheck(RIGHT, { failureMs: 0, cost: { N: 16 }, onLimited });
	for (let i = 0; i < ATTEMPTS_PER_ADDRESS; i++) await check.matches('wrong', 'one');
	expect(told).toEqual([]);
	for (let i = 0; i < 3; i++) await check.matches('wrong', 'one');
	expect(told).toEqual(['of one address']);
});

test('many addresses together are refused as well', async () => {
	const check = create();
	await Promise.all(
		Array.from({ length: ATTEMPTS_IN_ALL }, (_, i) => check.matches('wrong', `address ${i}`)),
	);
	expect(await check.matches(RIGHT, 'one more')).toBe(false);
});

test('a failure takes its time, whatever it was', async () => {
	const check = create();
	for (let i = 0; i < ATTEMPTS_PER_ADDRESS + 2; i++) {
		const started = performance.now();
		await check.matches('wrong', 'one');
		// the timer may be a millisecond early
		expect(performance.now() - started).toBeGreaterThanOrEqual(FAILURE_MS - 2);
	}
});
