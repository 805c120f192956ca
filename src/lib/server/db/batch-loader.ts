/**
 * Batches lookups: everything asked during a query goes into the next one, and at most one query runs. It
 * caches no answer. Without it, a flood of lookups would delay all others.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { UnavailableError } from './errors';

export type LookupBounds = {
	/** different keys that wait for an answer */
	asked: number;
	/** of them in one query */
	perQuery: number;
	/** after so long without an answer of the database a question is given up, once an attempt has failed; 0: with the first */
	waitMs: number;
	retryPauseMs: number;
};

export type BatchedLookup<T> = {
	/** Null: the answers have nothing about it. Rejects with an UnavailableError when there is no answer in time, or too many ask. */
	ask(key: string): Promise<T | null>;
	/** Waits until all is answered or given up, and takes no more. Safe to call twice. */
	close(): Promise<void>;
};

type Question<T> = {
	askedAt: number;
	answer: Promise<T | null>;
	resolve(answer: T | null): void;
	reject(error: Error): void;
};

/**
 * @param noun what is asked about, for the errors: "key"
 * @param read the answers to all of these, in one query; null: the database gave none
 * @param now milliseconds that only go forward
 */
export function createBatchedLookup<T>({
	noun,
	read,
	bounds,
	now,
}: {
	noun: string;
	read: (keys: readonly string[]) => Promise<ReadonlyMap<string, T> | null>;
	bounds: LookupBounds;
	now: () => number;
}): BatchedLookup<T> {
	const questions = new Map<string, Question<T>>();
	let running: Promise<void> | null = null;
	let closed = false;

	function ask(key: string): Question<T> {
		if (closed) throw new UnavailableError('The server is shutting down.');
		if (questions.size >= bounds.asked)
			throw new UnavailableError(
				`${questions.size} ${noun}s are waiting to be checked: the queue is full.`,
			);
		const question = createQuestion<T>(now());
		questions.set(key, question);
		running ??= run();
		return question;
	}

	async function run() {
		// what arrives in the same turn of the event loop is asked together
		await nextTurn();
		while (questions.size > 0) {
			const keys = [...questions.keys()].slice(0, bounds.perQuery);
			const answers = await read(keys);
			for (const key of answers ? keys : []) {
				questions.get(key)?.resolve(answers?.get(key) ?? null);
				questions.delete(key);
			}
			if (answers) continue;
			giveUp();
			if (questions.size > 0) await pause(bounds.retryPauseMs);
		}
		running = null;
	}

	/** Rejects callers after the deadline; callers for the same key wait since the first of them. */
	function giveUp() {
		for (const [key, { askedAt, reject }] of questions) {
			if (now() - askedAt < bounds.waitMs && !closed) continue;
			reject(new UnavailableError(`The database gave no answer about this ${noun} in time.`));
			questions.delete(key);
		}
	}

	return {
		ask: async (key) => (questions.get(key) ?? ask(key)).answer,
		async close() {
			closed = true;
			await running;
		},
	};
}

function createQuestion<T>(askedAt: number): Question<T> {
	let resolve!: Question<T>['resolve'];
	let reject!: Question<T>['reject'];
	const answer = new Promise<T | null>((...both) => ([resolve, reject] = both));
	return { askedAt, answer, resolve, reject };
}
