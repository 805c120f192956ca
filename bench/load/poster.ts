/**
 * Posts events over connections that are kept open, one request after the other on each, in a process of its own. It reads as much of an
 * answer as it must. Told what to do by ingest.ts.
 */
import { connect } from 'node:net';
import { randomUUID } from 'node:crypto';
import { nowUs } from './tally';

export type Task = { url: string; connections: number; perRequest: number; seconds: number };
export type Posted = {
	requests: number;
	/** of events that were answered 202 */
	accepted: number;
	/** answers of another kind, by status; 0: the connection was lost */
	refused: Record<string, number>;
	p50: number;
	p99: number;
	max: number;
	seconds: number;
};

let number = 0;

/** Bodies differ in ids and numbers, as real ones do. */
function toBody(perRequest: number): string {
	const events: string[] = [];
	const t = nowUs();
	for (let i = 0; i < perRequest; i++)
		events.push(
			`{"eventId":"${randomUUID()}","name":"bench","source":"bench","properties":{"n":${number++},"t":${t}}}`,
		);
	return perRequest === 1 ? (events[0] as string) : `[${events.join(',')}]`;
}

async function post({ url, connections, perRequest, seconds }: Task): Promise<Posted> {
	const { hostname, port, host, pathname } = new URL(url);
	const started = performance.now();
	const end = started + seconds * 1_000;
	const took: number[] = [];
	const refused: Record<string, number> = {};
	let accepted = 0;
	const one = () =>
		new Promise<void>((resolve) => {
			const socket = connect({ host: hostname, port: Number(port) });
			socket.setNoDelay(true);
			let sent = 0;
			let answer = '';
			const send = () => {
				if (performance.now() >= end) return socket.end();
				const body = toBody(perRequest);
				sent = performance.now();
				socket.write(
					`POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
				);
			};
			socket.on('connect', send);
			socket.on('data', (bytes) => {
				answer += bytes.toString('latin1');
				const head = answer.indexOf('\r\n\r\n');
				if (head === -1) return;
				const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? Number.NaN);
				const whole = Number.isNaN(length)
					? answer.endsWith('\r\n0\r\n\r\n')
					: answer.length >= head + 4 + length;
				if (!whole) return;
				const status = answer.slice(9, 12);
				if (status === '202') accepted += Number(/"accepted":(\d+)/.exec(answer)?.[1] ?? 0);
				else refused[status] = (refused[status] ?? 0) + 1;
				answer = '';
				took.push(performance.now() - sent);
				send();
			});
			socket.on('error', () => (refused['0'] = (refused['0'] ?? 0) + 1));
			socket.on('close', () => resolve());
		});
	await Promise.all(Array.from({ length: connections }, one));
	took.sort((a, b) => a - b);
	const at = (q: number) =>
		took[Math.min(took.length - 1, Math.floor(q * took.length))] ?? Number.NaN;
	return {
		requests: took.length,
		accepted,
		refused,
		p50: at(0.5),
		p99: at(0.99),
		max: at(1),
		seconds: (performance.now() - started) / 1_000,
	};
}

process.on('message', (task: Task) => void post(task).then((posted) => process.send?.(posted)));
process.on('disconnect', () => process.exit());
