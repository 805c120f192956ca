/** One client of the suite over HTTP: keeps an account, comes back after every end, and behaves as its kind does. */
import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import { createRandom } from '../../scripts/visitors/random';
import { toDelay } from '../../src/lib/stores/backoff';
import { WATCHDOG_MS } from '../../src/lib/protocol';
import { createAccount, type Account } from './account';
import { FILTERS, type ClientPlan } from './plan';

export type FaultClient = {
	account: Account;
	plan: ClientPlan;
	/** answers by status; 0: none came */
	answers: Map<number, number>;
	stop(): void;
};

/** What the server's `retry:` says. */
const NATIVE_RETRY_MS = 2_000;
/** Attempts come quickly at first: a suite waits for the last of hundreds. */
const BACKOFF_SHARE = 0.3;
const HOP_MS = 5_000;
const STALL_MS = 3_000;

/** @param urls of the instances */
export function startClient(plan: ClientPlan, urls: readonly string[]): FaultClient {
	const random = createRandom(plan.seed);
	const account = createAccount();
	const answers = new Map<number, number>();
	const timers = new Set<ReturnType<typeof setTimeout>>();
	let turn = Math.floor(random() * urls.length);
	let attempt = 0;
	let stopped = false;
	let request: ClientRequest | null = null;

	function later(ms: number, run: () => void) {
		const timer = setTimeout(() => {
			timers.delete(timer);
			if (!stopped) run();
		}, ms);
		timers.add(timer);
		return timer;
	}

	function open() {
		const query = new URLSearchParams();
		const cursor = account.cursor();
		const native = plan.kind === 'native';
		if (cursor !== null && !native) query.set('cursor', cursor);
		if (plan.filter !== null)
			for (const text of FILTERS[plan.filter]?.texts ?? []) query.append('f', text);
		const headers = native && cursor !== null ? { 'last-event-id': cursor } : {};
		const url = `${urls[turn % urls.length]}/api/dashboard/stream?${query}`;
		let ended = false;
		const mine = get(url, { agent: false, headers });
		request = mine;
		const end = () => {
			if (ended) return;
			ended = true;
			clearTimeout(watchdog);
			account.cut();
			mine.destroy();
			if (!stopped) comeBack();
		};
		let watchdog = later(WATCHDOG_MS, end);
		mine.once('error', () => {
			if (!ended) count(0);
			end();
		});
		mine.once('response', (response) => {
			count(response.statusCode ?? 0);
			if (response.statusCode !== 200) return end();
			const limit = plan.kind === 'cutter' ? 500 + random() * 300_000 : Infinity;
			let bytes = 0;
			response.on('data', (chunk: Buffer) => {
				clearTimeout(watchdog);
				timers.delete(watchdog);
				watchdog = later(WATCHDOG_MS, end);
				attempt = 0;
				bytes += chunk.length;
				if (ended) return;
				if (bytes <= limit) return account.feed(chunk);
				account.feed(chunk.subarray(0, chunk.length - Math.ceil(bytes - limit)));
				end();
			});
			response.once('close', end);
			response.once('error', end);
			behave(response, end);
		});
	}

	function count(status: number) {
		answers.set(status, (answers.get(status) ?? 0) + 1);
	}

	function behave(response: IncomingMessage, end: () => void) {
		if (plan.kind === 'hopper') later(HOP_MS * (0.5 + random()), end);
		if (plan.kind !== 'staller') return;
		later(STALL_MS * (1 + random()), () => {
			response.pause();
			const ms = random() < 0.15 ? plan.stallMs : STALL_MS * random();
			later(ms, () => {
				response.resume();
				if (!response.closed) behave(response, end);
			});
		});
	}

	function comeBack() {
		const bye = account.takeBye();
		// a balancer would send it elsewhere
		turn++;
		if (plan.kind === 'hopper') return void later(20 * random(), open);
		if (plan.kind === 'native') return void later(NATIVE_RETRY_MS * random(), open);
		later(bye ?? toDelay(Math.min(attempt++, 2), random()) * BACKOFF_SHARE, open);
	}

	open();
	return {
		account,
		plan,
		answers,
		stop() {
			stopped = true;
			for (const timer of timers) clearTimeout(timer);
			request?.destroy();
		},
	};
}
