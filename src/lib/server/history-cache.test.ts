import pino from 'pino';
import { expect, test } from 'vitest';
import { collectLog } from '../../../tests/setup/instances';
import type { History } from '../protocol';
import type { Sql } from './db/connect';
import { createHistory } from './history-cache';
import { ZoneError } from './read-history';

const sql = null as unknown as Sql;
const answer = (begins: string | null = '2026-01-01T00:00:00Z') =>
	({ begins }) as unknown as History;

test('who asks for the same shares one reading, for some seconds; another source or zone is read', async () => {
	let time = 0;
	const asked: string[] = [];
	const { read } = createHistory({
		sql,
		log: pino({ level: 'silent' }),
		now: () => time,
		read: async (_, { range, source, zone }) => {
			asked.push(`${range} ${source} ${zone}`);
			return answer();
		},
	});
	await Promise.all([1, 2, 3].map(() => read('7d', null, 'UTC')));
	await read('7d', 'a', 'UTC');
	await read('7d', null, 'Europe/Berlin');
	time = 14_999;
	await read('7d', null, 'UTC');
	time = 15_000;
	await read('7d', null, 'UTC');
	expect(asked).toEqual(['7d null UTC', '7d a UTC', '7d null Europe/Berlin', '7d null UTC']);
});

test('a failure is logged and not kept; a zone that is none is no failure of ours', async () => {
	const { log, lines } = collectLog();
	let fails = true;
	const { read } = createHistory({
		sql,
		log,
		read: async (_, { zone }) => {
			if (zone === 'Mars') throw new ZoneError(zone);
			if (fails) throw new Error('the database is away');
			return answer();
		},
	});
	await expect(read('7d', null, 'Mars')).rejects.toThrow(ZoneError);
	expect(lines).toEqual([]);
	await expect(read('7d', null, 'UTC')).rejects.toThrow('away');
	expect(lines.join()).toMatch(/history was not read/);
	fails = false;
	expect(await read('7d', null, 'UTC')).toEqual(answer());
});

test('before anything is counted the answer is kept for a moment only', async () => {
	let time = 0;
	let begins: string | null = null;
	const { read } = createHistory({
		sql,
		log: pino({ level: 'silent' }),
		now: () => time,
		read: async () => answer(begins),
	});
	expect((await read('90d', null, 'UTC')).begins).toBeNull();
	begins = '2026-01-01T00:00:00Z';
	time = 2_001;
	expect((await read('90d', null, 'UTC')).begins).toBe(begins);
});

test('sources and zones are remembered up to a bound', async () => {
	let reads = 0;
	const { read } = createHistory({
		sql,
		log: pino({ level: 'silent' }),
		read: async () => (reads++, answer()),
	});
	for (let i = 0; i < 300; i++) await read('7d', `source ${i}`, 'UTC');
	await read('7d', 'source 299', 'UTC');
	expect(reads).toBe(300);
	await read('7d', 'source 0', 'UTC');
	expect(reads).toBe(301);
});
