import pino from 'pino';
import { expect, test } from 'vitest';
import type { Sql } from '../db/connect';
import { createBefore, MAX_WAITING, type BeforeSpec } from './half-hour-before';

const log = pino({ level: 'silent' });
const sql = null as unknown as Sql;
const viewOf = (by: string) => ({ filter: [], by: [by] }) as unknown as BeforeSpec;
const answer = { at: '2026-03-01T12:00:00.000Z', tables: null };

test('views are read one at a time with a rest after each, and shared', async () => {
	const steps: string[] = [];
	const { read } = createBefore({
		sql,
		log,
		read: async (_, { by }) => {
			steps.push(`read ${by.join()}`);
			await Promise.resolve();
			if (by.join() === 'host') throw new Error('the database is away');
			steps.push(`end ${by.join()}`);
			return answer;
		},
		rest: async () => void steps.push('rest'),
	});
	const asked = [viewOf('name'), viewOf('host'), viewOf('path'), viewOf('name')].map(read);
	expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual([
		...['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
	]);
	expect(steps.slice(0, 6)).toEqual([
		...['read name', 'end name', 'rest', 'read host', 'rest', 'read path'],
	]);
	expect(await read(viewOf('path'))).toBe(answer);
	expect(steps.filter((step) => step === 'read path')).toHaveLength(1);
});

test('more views than can wait are refused, and later answered', async () => {
	let go = (): void => {};
	const first = new Promise<void>((resolve) => (go = resolve));
	const { read } = createBefore({
		sql,
		log,
		read: () => first.then(() => answer),
		rest: async () => {},
	});
	const asked = Array.from({ length: MAX_WAITING }, (_, i) => read(viewOf(`props.${i}`)));
	await expect(read(viewOf('name'))).rejects.toThrow('being read');
	go();
	await Promise.all(asked);
	expect(await read(viewOf('name'))).toBe(answer);
});
