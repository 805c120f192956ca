/**
 * Sends what requests.ts makes to a server, many at a time, while honest viewers look; and judges: no answer of 5xx, the process
 * lives, every row in the table was acknowledged and every acknowledged one is there.
 */
import { connect as connectSocket } from 'node:net';
import { request, Agent } from 'node:http';
import type { Sql } from '../../src/lib/server/db/connect';
import { toRequests, type FuzzRequest } from './requests';

export type FuzzResult = {
	requests: number;
	/** kind → status → how often; 0: the connection was closed without an answer */
	answers: Map<string, Map<number, number>>;
	/** those that were answered with 5xx, the first few */
	failures: string[];
	/** acknowledged as new, and rows in the table */
	accepted: number;
	rows: number;
};

const BATCH = 500;
const AT_ONCE = 16;
const SILENT_MS = 5_000;
const SHOWN = 10;

/** @param seed each batch has the next one: a failure names its own */
export async function runFuzz({
	url,
	sql,
	seed,
	requests,
	onBatch = () => {},
}: {
	url: string;
	sql: Sql;
	seed: number;
	requests: number;
	onBatch?: (done: number) => void | Promise<void>;
}): Promise<FuzzResult> {
	const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
	const answers: FuzzResult['answers'] = new Map();
	const failures: string[] = [];
	const countRows = async () =>
		Number((await sql<{ count: string }[]>`select count(*) from events`)[0]?.count);
	const before = await countRows();
	let accepted = 0;
	for (let done = 0, batch = 0; done < requests; batch++) {
		const list = toRequests(seed + batch, Math.min(BATCH, requests - done));
		const left = [...list.entries()];
		const work = async () => {
			for (let next = left.pop(); next; next = left.pop()) {
				const [at, one] = next;
				const { status, body } = await (one.raw ? sendRaw(url, one.raw) : send(url, agent, one));
				const statuses = answers.get(one.kind) ?? new Map<number, number>();
				answers.set(one.kind, statuses.set(status, (statuses.get(status) ?? 0) + 1));
				if (status >= 500 && failures.length < SHOWN)
					failures.push(
						`${status} for request ${at} of seed ${seed + batch}: ${describe(one)}: ${body.slice(0, 200)}`,
					);
				if (status === 202) accepted += Number(/"accepted":(\d+)/.exec(body)?.[1] ?? 0);
			}
		};
		await Promise.all(Array.from({ length: AT_ONCE }, work));
		done += list.length;
		await onBatch(done);
	}
	agent.destroy();
	return { requests, answers, failures, accepted, rows: (await countRows()) - before };
}

type Answer = { status: number; body: string };

function send(url: string, agent: Agent, { method, path, headers, body }: FuzzRequest) {
	return new Promise<Answer>((resolve) => {
		const none = () => resolve({ status: 0, body: '' });
		try {
			const sent = request(
				url,
				{
					method,
					path,
					headers: { ...headers, ...(body && { 'content-length': body.length }) },
					agent,
				},
				(response) => {
					let text = '';
					response.setEncoding('latin1');
					response.on('data', (part: string) => {
						if (text.length < 2_000) text += part;
					});
					response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
					response.on('error', none);
				},
			);
			sent.on('error', none);
			sent.setTimeout(SILENT_MS, () => sent.destroy());
			sent.end(body ?? undefined);
		} catch {
			// Node itself does not write such a request
			none();
		}
	});
}

function sendRaw(url: string, raw: Buffer): Promise<Answer> {
	const { hostname, port } = new URL(url);
	return new Promise((resolve) => {
		const socket = connectSocket({ host: hostname, port: Number(port) });
		let text = '';
		socket.on('connect', () => socket.end(raw));
		socket.on('data', (bytes) => {
			if (text.length < 2_000) text += bytes.toString('latin1');
			// one answer is enough to know
			if (text.includes('\r\n\r\n')) socket.destroy();
		});
		socket.setTimeout(SILENT_MS, () => socket.destroy());
		socket.on('error', () => {});
		socket.on('close', () =>
			resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), body: text }),
		);
	});
}

function describe({ kind, method, path, body, raw }: FuzzRequest): string {
	const text = (raw ?? body ?? Buffer.alloc(0)).toString('latin1').slice(0, 120);
	return `${kind} ${method} ${path.slice(0, 120)} ${JSON.stringify(text)}`;
}

/** What may not be; empty when all is well. */
export function findProblems({ failures, accepted, rows, answers }: FuzzResult): string[] {
	const problems = [...failures];
	if (accepted !== rows) problems.push(`${accepted} events were acknowledged, ${rows} rows came`);
	if (accepted === 0) problems.push('nothing was accepted: good events are among what is sent');
	if (answers.size < 10) problems.push(`only ${answers.size} kinds of requests were sent`);
	return problems;
}
