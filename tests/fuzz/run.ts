/**
 * Sends what requests.ts makes to a server, many at a time, and counts: answers, those of 5xx, events that were acknowledged, and rows.
 * What else goes on meanwhile (honest viewers, half-open connections) is the caller's.
 */
import type { Sql } from '../../src/lib/server/db/connect';
import { createTokens } from '../../src/lib/server/access/tokens';
import { addKey, addLink, addSession } from '../attempts/world';
import { createAgent, send } from '../setup/wire';
import { toGranted } from './forms';
import { fill, type FuzzRequest, type Names } from './request';
import { toRequests } from './requests';
import { countTables, findUnexplained, NOTHING_GRANTED, type Granted } from './tables';

export type FuzzResult = {
	requests: number;
	/** kind → status → how often; 0: the connection was closed without an answer */
	answers: Map<string, Map<number, number>>;
	/** those that were answered with 5xx, the first few */
	failures: string[];
	/** acknowledged as new, and rows in the table */
	accepted: number;
	rows: number;
	/** forms that were granted, and sentences about rows of other tables that they do not explain */
	granted: Granted;
	unexplained: string[];
};

export const BATCH = 500;
/** Links and keys, which forms end by their numbers. */
const TO_BE_ENDED = 60;
const AT_ONCE = 16;
const SHOWN = 10;
/** Of the rows that honest viewers look for: they are not the fuzz's. */
export const HONEST_SOURCE = 'honest';

/** What good requests need. @param secret that of the server's SECRET @param metrics its METRICS_TOKEN */
export async function createNames(
	origin: string,
	sql: Sql,
	secret: string,
	metrics: string,
): Promise<Names> {
	const session = await addSession(sql, 24 * 3_600);
	const tokens = createTokens(async () => secret);
	const [meta] = await sql<
		{ value: string }[]
	>`select value from nowboard.meta where key = 'epoch'`;
	const [{ key }, link] = [await addKey(sql, 'secret', 'fuzz'), await addLink(sql)];
	for (let i = 0; i < TO_BE_ENDED; i++) {
		await addKey(sql, 'secret', 'fuzz');
		await addLink(sql);
	}
	return {
		origin,
		session: session.token,
		link: link.token,
		metrics,
		key,
		epoch: meta?.value ?? 'none',
		token: (await tokens.issue(session.token)).token,
	};
}

/**
 * @param seed each batch has the next one: a failure names its own
 * @param batches first and behind the last: the whole run may be made in parts
 */
export async function runFuzz({
	names,
	sql,
	seed,
	batches: [first, end],
	onBatch = () => {},
}: {
	names: Names;
	sql: Sql;
	seed: number;
	batches: readonly [number, number];
	onBatch?: (done: number) => void | Promise<void>;
}): Promise<FuzzResult> {
	const agent = createAgent(names.origin, AT_ONCE);
	const answers: FuzzResult['answers'] = new Map();
	const failures: string[] = [];
	const countRows = async () =>
		Number(
			(
				await sql<{ count: string }[]>`
					select count(*) from nowboard.events where source <> ${HONEST_SOURCE}`
			)[0]?.count,
		);
	const before = await countRows();
	const tables = await countTables(sql);
	const since = performance.now();
	const granted = { ...NOTHING_GRANTED };
	let accepted = 0;

	async function attempt(at: number, batch: number, one: FuzzRequest) {
		const { status, body } = await send(
			names.origin,
			agent,
			fill(one, names, toAddress(batch * BATCH + at)),
		);
		const statuses = answers.get(one.kind) ?? new Map<number, number>();
		answers.set(one.kind, statuses.set(status, (statuses.get(status) ?? 0) + 1));
		if (status >= 500 && failures.length < SHOWN)
			failures.push(
				`${status} for request ${at} of seed ${seed + batch}: ${describe(one)}: ${body.slice(0, 200)}`,
			);
		if (status === 202) accepted += Number(/"accepted":(\d+)/.exec(body)?.[1] ?? 0);
		const action = toGranted(one, status, body);
		if (action) granted[action]++;
	}

	for (let batch = first; batch < end; batch++) {
		const left = [...toRequests(seed + batch, BATCH).entries()];
		const work = async () => {
			for (let next = left.pop(); next; next = left.pop()) await attempt(next[0], batch, next[1]);
		};
		await Promise.all(Array.from({ length: AT_ONCE }, work));
		await onBatch(batch + 1 - first);
	}
	agent.destroy();
	const requests = (end - first) * BATCH;
	const rows = (await countRows()) - before;
	const unexplained = findUnexplained(
		tables,
		await countTables(sql),
		granted,
		(performance.now() - since) / 1_000,
	);
	return { requests, answers, failures, accepted, rows, granted, unexplained };
}

/** Four requests of each. */
function toAddress(at: number): string {
	const one = Math.floor(at / 4);
	return `10.${(one >> 16) & 255}.${(one >> 8) & 255}.${one & 255}`;
}

function describe({ kind, method, path, body, raw }: FuzzRequest): string {
	const text = (raw ?? body ?? Buffer.alloc(0)).toString('latin1').slice(0, 120);
	return `${kind} ${method} ${path.slice(0, 120)} ${JSON.stringify(text)}`;
}
