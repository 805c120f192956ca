/**
 * Whether the database takes events, even while no client sends any. After a failed write a probe inserts as ingest does and rolls
 * back, until it succeeds. Only the probe decides: a single request may fail for reasons of its own.
 */
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import { dropClient } from '../db/renewing-client';
import { explain, type Diagnosis } from '../db/diagnose';

export type WriteWatch = {
	/** null: events are taken, as far as is known */
	trouble(): Diagnosis | null;
	/** Called at each change of `trouble`. */
	onChange(listener: (trouble: Diagnosis | null, error: unknown) => void): void;
	/** A write failed. */
	suspect(): void;
	stop(): void;
};

/** Between two probes while there is trouble. */
export const PROBE_MS = 2_000;
/** As long as a request would wait. */
const LOCK_MS = 1_000;
const STATEMENT_MS = 2_000;
const DEADLINE_MS = 3_000;

/** An event that is never committed: it uses up an id, and sends no NOTIFY. */
const toProbe = (sql: Sql) => `BEGIN;
	SET LOCAL lock_timeout = ${LOCK_MS};
	SET LOCAL statement_timeout = ${STATEMENT_MS};
	INSERT INTO ${sql.schema}.events (name, source) VALUES ('probe', 'nowboard');
	ROLLBACK`;

/** @param connect makes a client with one connection, as ingest does */
export function createWriteWatch({
	connect,
	probeMs = PROBE_MS,
}: {
	connect: () => Sql;
	probeMs?: number;
}): WriteWatch {
	const listeners: ((trouble: Diagnosis | null, error: unknown) => void)[] = [];
	let trouble: Diagnosis | null = null;
	let probing = false;
	let stopped = false;
	let timer: ReturnType<typeof setTimeout> | undefined;

	function become(next: Diagnosis | null, error: unknown) {
		if (stopped || (trouble?.trouble === next?.trouble && trouble?.fix === next?.fix)) return;
		trouble = next;
		for (const listener of listeners) listener(next, error);
	}

	async function probe() {
		if (probing || stopped) return;
		probing = true;
		const sql = connect();
		try {
			await withDeadline(sql.unsafe(toProbe(sql)).simple(), DEADLINE_MS, 'the probe of writing');
			become(null, null);
		} catch (error) {
			become(await explain(error, connect), error);
		} finally {
			dropClient(sql);
			probing = false;
		}
		if (trouble !== null && !stopped) timer = setTimeout(() => void probe(), probeMs);
	}

	return {
		trouble: () => trouble,
		onChange: (listener) => void listeners.push(listener),
		suspect() {
			// while there is trouble, the next probe is planned already
			if (trouble === null) void probe();
		},
		stop() {
			stopped = true;
			clearTimeout(timer);
		},
	};
}
