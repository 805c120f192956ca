/** Those who ask politely while others do not: pages, the status, history, and events with a key of theirs, by turns; and what they are answered. */
import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../report/quantile';

const EVERY_MS = 250;
const PATIENCE_MS = 30_000;
export const HONEST_SOURCE = 'honest';

export type Polite = {
	asked: number;
	/** events that were acknowledged */
	accepted: number;
	/** answers that were not due, the first few: sentences */
	wrong: string[];
	/** ms until the answer */
	p50: number;
	p99: number;
};

/** @param session a session's token @param key an ingest key of HONEST_SOURCE */
export function startPolite(origin: string, session: string, key: string) {
	const cookie = `nowboard_viewer=${session}`;
	const get = (path: string): [string, RequestInit, number] => [path, { headers: { cookie } }, 200];
	const asks: [path: string, init: RequestInit, due: number][] = [
		get('/'),
		get('/api/dashboard/status'),
		get('/api/dashboard/history?range=30min'),
		get('/settings'),
		['/login', {}, 200],
		[
			'/api/events',
			{
				method: 'POST',
				headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
				body: JSON.stringify({ name: 'polite' }),
			},
			202,
		],
	];
	let asked = 0;
	let accepted = 0;
	let wrong: string[] = [];
	let delays: number[] = [];
	let stopped = false;
	const waiting = new Set<Promise<void>>();

	async function ask([path, init, due]: (typeof asks)[number]) {
		const started = performance.now();
		asked++;
		const answer = await fetch(`${origin}${path}`, {
			...init,
			redirect: 'manual',
			signal: AbortSignal.timeout(PATIENCE_MS),
		}).then(
			async (response) => {
				await response.arrayBuffer();
				return String(response.status);
			},
			(error: Error) => `nothing (${String(error.cause ?? error)})`,
		);
		delays.push(performance.now() - started);
		if (answer !== String(due)) wrong.push(`${path} was answered ${answer}, not ${due}`);
		else if (due === 202) accepted++;
	}
	const asking = (async () => {
		for (let turn = 0; !stopped; turn++) {
			const one = ask(asks[turn % asks.length] as (typeof asks)[number]);
			waiting.add(one);
			void one.finally(() => waiting.delete(one));
			await pause(EVERY_MS);
		}
	})();

	return {
		/** since it was last asked; `accepted` since the start */
		report(): Polite {
			const told = {
				...{ asked, accepted, wrong },
				p50: quantile(delays, 0.5),
				p99: quantile(delays, 0.99),
			};
			asked = 0;
			wrong = [];
			delays = [];
			return told;
		},
		/** Resolves when all is answered. */
		async stop() {
			stopped = true;
			await asking;
			await Promise.all(waiting);
		},
	};
}
