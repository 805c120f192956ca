/**
 * One call of ingest's `submit`: its rows, its deadline and its one answer; and what a group of them means
 * for the table. Note the counting: the same event id may come twice in one request, in two requests of one
 * group, and again after an attempt with an unknown outcome.
 */
import { randomUUID } from 'node:crypto';
import type { InputEvent } from './parse-events';
import { toRow, type Row } from './insert-events';
import { UnavailableError } from '../db/errors';

/** `accepted` rows are committed; `duplicates` had an event id that was there before, or earlier in the same request. */
export type Receipt = { accepted: number; duplicates: number };

/** The database will never take these events; the message is what it said. */
export class RefusedError extends Error {
	override name = 'RefusedError';
	/** the CHECK that was broken, if it was one */
	readonly constraint: string | null;
	constructor(cause: unknown) {
		super(cause instanceof Error ? cause.message : String(cause), { cause });
		const { constraint_name: constraint } = (cause ?? {}) as { constraint_name?: unknown };
		this.constraint = typeof constraint === 'string' ? constraint : null;
	}
}

export type Submission = {
	readonly rows: readonly Row[];
	/** event ids made here: a conflict on one can only be with our own earlier attempt */
	readonly own: ReadonlySet<string>;
	/** length of the rows' JSON */
	readonly bytes: number;
	/** the outcome is in the hands of the database: no deadline may answer now */
	attempting: boolean;
	readonly answered: boolean;
	/** The first answer counts; later ones do nothing. */
	answer(outcome: Receipt | Error): void;
	/** Answers "unavailable" if the time is up and nothing is being attempted. */
	expire(): void;
};

/**
 * @param waitMs after it, `expire` answers; it is called by a timer too
 * @param settle called once, with the answer
 */
export function createSubmission(
	events: readonly InputEvent[],
	waitMs: number,
	settle: (submission: Submission, outcome: Receipt | Error) => void,
): Submission {
	const own = new Set<string>();
	const rows = events.map((event) => {
		const eventId = event.eventId ?? randomUUID();
		if (event.eventId === null) own.add(eventId);
		return toRow(event, eventId);
	});
	let answered = false;
	let due = false;
	const timer = setTimeout(() => {
		due = true;
		submission.expire();
	}, waitMs);
	const submission: Submission = {
		rows,
		own,
		bytes: rows.reduce((sum, { json }) => sum + json.length, 0),
		attempting: false,
		get answered() {
			return answered;
		},
		answer(outcome) {
			if (answered) return;
			answered = true;
			clearTimeout(timer);
			settle(submission, outcome);
		},
		expire() {
			if (due && !submission.attempting) submission.answer(new UnavailableError(TOO_LATE));
		},
	};
	return submission;
}

const TOO_LATE =
	'The database did not confirm these events in time. Send them again: an event with an eventId counts once.';

/** The rows of a group in order of arrival, each event id once: the first submission to bring it holds it. */
export function mergeRows(group: readonly Submission[]): {
	rows: Row[];
	holders: Map<string, Submission>;
} {
	const rows: Row[] = [];
	const holders = new Map<string, Submission>();
	for (const submission of group)
		for (const row of submission.rows) {
			if (holders.has(row.eventId)) continue;
			holders.set(row.eventId, submission);
			rows.push(row);
		}
	return { rows, holders };
}

/** What each submission is told once `inserted`, the event ids that were new to the table, are committed. */
export function toReceipts(
	group: readonly Submission[],
	holders: ReadonlyMap<string, Submission>,
	inserted: ReadonlySet<string>,
): Map<Submission, Receipt> {
	const receipts = new Map<Submission, Receipt>();
	for (const submission of group)
		receipts.set(submission, { accepted: 0, duplicates: submission.rows.length });
	for (const [eventId, submission] of holders) {
		const receipt = receipts.get(submission);
		if (!receipt || !(inserted.has(eventId) || submission.own.has(eventId))) continue;
		receipt.accepted += 1;
		receipt.duplicates -= 1;
	}
	return receipts;
}
