/**
 * Writers of many shapes, against the instances over HTTP and against the database by SQL, until enough is written. What they
 * meet (cut connections, refused events) is part of the run: over HTTP they repeat with the same event ids until it is taken.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createRandom, type Random } from '../../scripts/visitors/random';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { withDeadline } from '../../src/lib/server/db/deadline';
import { PROPERTIES_SQL, SOURCES, toProperties } from './plan';

export type Written = {
	/** rows that are said to be committed */
	rows: number;
	/** event ids that were answered 202 */
	accepted: string[];
	/** answers of POSTs by status; 0: none came */
	answers: Map<number, number>;
};

export type Writers = {
	written: Written;
	/** resolves when as many rows are written as were asked for */
	done: Promise<void>;
	/** Ends them early; resolves when nothing is open any more. */
	stop(): Promise<void>;
};

/** Of the rate; the rest is shared by the SQL writers. */
const HTTP_SHARE = 0.8;
const HTTP_WRITERS = 4;
const BATCH = 50;
const ATTEMPT_MS = 10_000;
/** Of a transaction that is larger than one reading; about one in so many ms. They do not count towards the events that were asked for. */
const LARGE = 2_500;
const LARGE_EVERY_MS = 6_000;

/** Each writes once when called: any number of rows, committed or not; returns how many were committed. */
type Shape = (sql: Sql, random: Random) => Promise<number>;

const source = (random: Random) => SOURCES[Math.floor(random() * SOURCES.length)] as string;
const insert = async (sql: Sql, rows: number, from: string) => {
	await sql`insert into nowboard.events (name, source, properties)
		select 'w', ${from}, ${sql.unsafe(PROPERTIES_SQL)} from generate_series(1, ${rows}::int) n`;
	return rows;
};

const SHAPES: Record<string, Shape> = {
	single: (sql, random) => insert(sql, 1, source(random)),
	many: (sql, random) => insert(sql, 1 + Math.floor(random() * 300), source(random)),
	'long transaction': (sql, random) =>
		transaction(sql, async (tx) => {
			await insert(tx, 2, source(random));
			await pause(2_000 * random() ** 2);
			await insert(tx, 3, source(random));
			return 5;
		}),
	'rolled back': async (sql, random) => {
		await transaction(sql, async (tx) => {
			await insert(tx, 3, source(random));
			await pause(300 * random());
			throw new RollBack();
		}).catch((error: unknown) => {
			if (!(error instanceof RollBack)) throw error;
		});
		return 0;
	},
	'id first, rows later': (sql, random) =>
		transaction(sql, async (tx) => {
			await tx`select pg_current_xact_id()`;
			await pause(600 * random());
			return insert(tx, 1 + Math.floor(random() * 5), source(random));
		}),
	'forged tx': async (sql, random) => {
		const tx = random() < 0.5 ? '1' : '99999999999';
		await sql`insert into nowboard.events (name, source, tx) values ('w', ${source(random)}, ${tx})`;
		return 1;
	},
	'savepoint undone': (sql, random) =>
		transaction(sql, async (tx) => {
			await insert(tx, 1, source(random));
			await tx`savepoint s`;
			await insert(tx, 2, source(random));
			await tx`rollback to savepoint s`;
			return 1;
		}),
};

const writeLarge: Shape = async (sql, random) => {
	await insert(sql, LARGE, source(random));
	return 0;
};

class RollBack extends Error {}

/** On a client with one connection; postgres.js' own `begin` would reserve another. */
async function transaction(sql: Sql, work: (sql: Sql) => Promise<number>): Promise<number> {
	await sql`begin`;
	try {
		const rows = await work(sql);
		await sql`commit`;
		return rows;
	} catch (error) {
		await sql`rollback`;
		throw error;
	}
}

/** @param urls of the instances; @param rate rows a second, about */
export function startWriters({
	seed,
	urls,
	databaseUrl,
	events,
	rate,
}: {
	seed: number;
	urls: readonly string[];
	databaseUrl: string;
	events: number;
	rate: number;
}): Writers {
	const written: Written = { rows: 0, accepted: [], answers: new Map() };
	const random = createRandom(seed);
	let stopped = false;
	const going = () => !stopped && written.rows < events;

	/** until then, or until enough is written */
	async function rest(until: number) {
		while (going() && performance.now() < until)
			await pause(Math.min(until - performance.now(), 200));
	}

	/** rests so that its own rows keep to its share of the rate */
	function createPace(share: number) {
		let due = performance.now();
		return async (rows: number) => {
			due = Math.max(due + (rows / (rate * share)) * 1_000, performance.now() - 1_000);
			await rest(due);
		};
	}

	async function post(body: string, url: string): Promise<number> {
		try {
			const response = await fetch(`${url}/api/events`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body,
				signal: AbortSignal.timeout(ATTEMPT_MS),
			});
			await response.body?.cancel();
			return response.status;
		} catch {
			return 0;
		}
	}

	async function writeHttp(own: Random) {
		const pace = createPace(HTTP_SHARE / HTTP_WRITERS);
		while (going()) {
			const batch = Array.from({ length: 1 + Math.floor(own() * BATCH) }, (_, n) => ({
				name: 'w',
				source: source(own),
				properties: toProperties(n),
				eventId: randomUUID(),
			}));
			const body = JSON.stringify(batch);
			// to its end, also when the run is over: what may be half taken is decided
			for (let turn = Math.floor(own() * urls.length); ; turn++) {
				const status = await post(body, urls[turn % urls.length] as string);
				written.answers.set(status, (written.answers.get(status) ?? 0) + 1);
				if (status === 202) break;
				await pause(100 + 200 * own());
			}
			for (const { eventId } of batch) written.accepted.push(eventId);
			written.rows += batch.length;
			await pace(batch.length);
		}
	}

	async function writeSql(shape: Shape, own: Random, pace: (rows: number) => Promise<void>) {
		let sql = connect(databaseUrl, { max: 1, applicationName: 'faults writer' });
		while (going()) {
			let rows = 0;
			try {
				rows = await withDeadline(shape(sql, own), ATTEMPT_MS, 'a writer');
			} catch {
				void sql.end({ timeout: 0 }).catch(() => {});
				await pause(200);
				sql = connect(databaseUrl, { max: 1, applicationName: 'faults writer' });
			}
			written.rows += rows;
			await pace(Math.max(rows, 1));
		}
		await sql.end({ timeout: 1 }).catch(() => {});
	}

	const share = (1 - HTTP_SHARE) / Object.keys(SHAPES).length;
	const seeds = () => createRandom(Math.floor(random() * 2 ** 31));
	const all = Promise.all([
		...Array.from({ length: HTTP_WRITERS }, () => writeHttp(seeds())),
		...Object.values(SHAPES).map((shape) => writeSql(shape, seeds(), createPace(share))),
		writeSql(writeLarge, seeds(), () => rest(performance.now() + LARGE_EVERY_MS)),
	]);
	return {
		written,
		done: all.then(() => {}),
		async stop() {
			stopped = true;
			await all;
		},
	};
}
