/**
 * A process full of clients, told by messages what to do. It judges its clients itself, from the rows in a file: their
 * accounts are too large to be sent.
 */
import { readFileSync } from 'node:fs';
import { parseCursor, sees } from '../../src/lib/server/reader/cursor';
import { startClient, type FaultClient } from './client';
import { createOracle, type Rows, type Verdict } from './oracle';
import type { ClientPlan } from './plan';

/** What ends a wait: a transaction with a row for each source. */
export type Marker = { tx: string };
export type Order =
	| { type: 'start'; plans: ClientPlan[]; direct: string[]; proxied: string[] }
	/** `all`: also for those that are not reading just now */
	| { type: 'wait'; marker: Marker; timeoutMs: number; all: boolean }
	| { type: 'judge'; file: string; rows: number }
	| { type: 'stop' };
export type Waited = { type: 'waited'; times: number[]; late: string[] };
export type Judged = {
	type: 'judged';
	verdicts: Verdict[];
	answers: [number, number][];
	events: number;
};
export type Reply = { type: 'started' } | Waited | Judged;

const LOOK_MS = 20;
let clients: FaultClient[] = [];

/** Whether its cursor has seen the marker: received, counted, or covered by a reset. */
function hasCaughtUp({ account }: FaultClient, { tx }: Marker): boolean {
	const parsed = parseCursor(account.cursor() ?? '');
	return parsed.ok && sees(parsed.cursor, BigInt(tx));
}

async function wait(marker: Marker, timeoutMs: number, all: boolean): Promise<Waited> {
	const started = performance.now();
	const times: number[] = [];
	let left = clients.filter(({ plan }) => all || plan.kind !== 'staller');
	while (left.length > 0 && performance.now() - started < timeoutMs) {
		left = left.filter((client) => {
			const done = hasCaughtUp(client, marker);
			if (done) times.push(performance.now() - started);
			return !done;
		});
		if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
	}
	const late = left.map(({ plan, account }) =>
		JSON.stringify({ ...plan, cursor: account.cursor(), resets: account.resets().length }),
	);
	return { type: 'waited', times, late };
}

function readRows(file: string, count: number): Rows {
	const { buffer, byteOffset } = readFileSync(file);
	const copy = buffer.slice(byteOffset, byteOffset + count * 17);
	return {
		txs: new BigUint64Array(copy, 0, count),
		ids: new Float64Array(copy, count * 8, count),
		marks: new Uint8Array(copy, count * 16, count),
	};
}

function judge(rows: Rows): Judged {
	const oracle = createOracle(rows);
	const answers = new Map<number, number>();
	let events = 0;
	const verdicts = clients.map(({ account, plan, answers: own }) => {
		for (const [status, count] of own) answers.set(status, (answers.get(status) ?? 0) + count);
		events += account.events();
		return oracle.judge(account, plan.filter);
	});
	return { type: 'judged', verdicts, answers: [...answers], events };
}

const reply = (message: Reply) => void process.send?.(message);

process.on('message', (order: Order) => {
	if (order.type === 'start') {
		clients = order.plans.map((plan) =>
			startClient(plan, plan.proxied ? order.proxied : order.direct),
		);
		reply({ type: 'started' });
	} else if (order.type === 'wait') void wait(order.marker, order.timeoutMs, order.all).then(reply);
	else if (order.type === 'judge') reply(judge(readRows(order.file, order.rows)));
	else {
		for (const client of clients) client.stop();
		process.disconnect();
	}
});
// the suite is gone
process.once('disconnect', () => process.exit(0));
