/**
 * Shares readings of moments: clients that ask for the same one wait for the same statement and get the same answer for a
 * while. A reading that every client has left is cancelled in Postgres: a dragged needle asks for many.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { PROPS, type Dimension } from '../../dimensions';
import { toFilterTexts } from '../../filter';
import type { Values } from '../../history';
import { toMeasures } from '../../measures';
import type { Moment } from '../../protocol';
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import { toRangeTable } from '../history/range-tables';
import { BeforeDataError, readMoment, readMomentValues, type MomentSpec } from './read-moment';

export type Moments = {
	/**
	 * @param signal the client has left
	 * @throws BeforeDataError, CrowdedError, the signal's reason, or what the database says
	 */
	read(spec: MomentSpec, signal: AbortSignal): Promise<Moment>;
	/** The whole list of a breakdown at a moment. @throws the same */
	values(asked: MomentValues, signal: AbortSignal): Promise<Values>;
};
type MomentValues = Omit<MomentSpec, 'by'> & { dimension: Dimension; text: string; length: number };

/** Late events may still change what was read. */
const KEPT_MS = 10_000;
const MAX_KEPT = 100;
/** They share three connections with counting and retention. */
const MOST_RUNNING = 2;
/** Different ones: a reading takes about a second, and a page waits ten. */
export const MOST_WAITING = 20;
/** A connection that is half open must not hold up the others for ever. */
const DEADLINE_MS = 30_000;

/** As many moments are being read as may be. */
export class CrowdedError extends Error {
	constructor() {
		super(`${MOST_WAITING} other moments are being read`);
		this.name = 'CrowdedError';
	}
}

type Reading = { answer: Promise<unknown>; clients: number; left: AbortController };

/** @param sql shared with counting, retention and ranges */
export function createMoments({
	sql,
	log,
	read = readMoment,
	readValues = readMomentValues,
}: {
	sql: Sql;
	log: Logger;
	read?: typeof readMoment;
	readValues?: typeof readMomentValues;
}): Moments {
	const kept = new LRUCache<string, object>({ max: MAX_KEPT, ttl: KEPT_MS });
	const readings = new Map<string, Reading>();
	let running = 0;
	const waiting: (() => void)[] = [];
	/** a promise that is kept keeps the request in which it was made */
	const outside = AsyncLocalStorage.snapshot();

	async function inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
		if (running >= MOST_RUNNING) await new Promise<void>((go) => waiting.push(go));
		else running++;
		try {
			signal.throwIfAborted();
			return await withDeadline(work(), DEADLINE_MS, 'a moment');
		} finally {
			// the next one takes the place
			const next = waiting.shift();
			if (next) next();
			else running--;
		}
	}

	function begin(key: string, work: (signal: AbortSignal) => Promise<object>): Reading {
		if (readings.size >= MOST_WAITING + MOST_RUNNING) throw new CrowdedError();
		const left = new AbortController();
		const answer = inTurn(left.signal, () => work(left.signal));
		const reading = { answer, clients: 0, left };
		readings.set(key, reading);
		answer
			.then((value) => void kept.set(key, value))
			.catch((error: unknown) => {
				if (left.signal.aborted || error instanceof BeforeDataError) return;
				log.warn({ reason: String(error) }, 'a moment was not read');
			})
			.finally(() => {
				if (readings.get(key) === reading) readings.delete(key);
			});
		return reading;
	}

	async function share<T extends object>(
		key: string,
		signal: AbortSignal,
		work: (signal: AbortSignal) => Promise<T>,
	): Promise<T> {
		signal.throwIfAborted();
		const found = kept.get(key);
		if (found) return found as T;
		const reading = readings.get(key) ?? outside(begin, key, work);
		reading.clients++;
		let leave = (): void => {};
		const gone = new Promise<never>((_, reject) => {
			leave = () => {
				if (--reading.clients === 0) {
					reading.left.abort();
					// a client that asks now must not get what is being cancelled
					if (readings.get(key) === reading) readings.delete(key);
				}
				reject(signal.reason as Error);
			};
		});
		signal.addEventListener('abort', leave, { once: true });
		try {
			return (await Promise.race([reading.answer, gone])) as T;
		} finally {
			signal.removeEventListener('abort', leave);
		}
	}

	const toKey = ({ filter, bound = [], at }: Omit<MomentSpec, 'by'>, ...rest: unknown[]) =>
		JSON.stringify([toFilterTexts(filter), toFilterTexts(bound), at, ...rest]);

	return {
		read: (spec, signal) => share(toKey(spec, spec.by), signal, (left) => read(sql, spec, left)),
		async values({ dimension, text, length, ...spec }, signal) {
			const key = toKey(spec, { dimension });
			const counts = await share(key, signal, (left) => readValues(sql, spec, dimension, left));
			return {
				dimension,
				at: new Date(spec.at).toISOString(),
				...toRangeTable({ now: counts, before: null }, { length, text }),
				measures: dimension.startsWith(PROPS) ? toMeasures(counts) : null,
			};
		},
	};
}
