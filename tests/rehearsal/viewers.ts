/** Viewers and senders while a deployment is being changed: as browsers do, over HTTP/2 with a login, and with a key. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { readText, type Client } from '../../scripts/doctor/client';
import { toDelay } from '../../src/lib/stores/backoff';
import { createAccount, type Account } from '../faults/account';

export type Viewer = {
	account: Account;
	/** of the answers, by status; 0: none came */
	answers: Map<number, number>;
	/** streams that ended with a `bye`, and without */
	farewells(): number;
	cuts(): number;
	stop(): void;
};

const PATH = '/api/dashboard/stream';

/** A page with the manners of our store: it comes back with its cursor, when `bye` says or after a while. */
export function startViewer(client: Client, cookie: string): Viewer {
	const account = createAccount();
	const answers = new Map<number, number>();
	let [farewells, cuts, attempt] = [0, 0, 0];
	let stopped = false;
	let close = () => {};

	async function look(): Promise<void> {
		const cursor = account.cursor();
		const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
		const answer = await client.ask(PATH + query, { headers: { cookie } }).catch(() => null);
		const status = answer?.status ?? 0;
		answers.set(status, (answers.get(status) ?? 0) + 1);
		if (!answer || status !== 200) return;
		const { body } = answer;
		close = () => body.destroy();
		if (stopped) return close();
		await new Promise<void>((resolve) => {
			body.on('data', (chunk: Buffer) => {
				attempt = 0;
				account.feed(chunk);
			});
			body.once('close', resolve);
		});
	}

	void (async () => {
		while (!stopped) {
			await look();
			account.cut();
			if (stopped) return;
			const bye = account.takeBye();
			if (bye === null) cuts++;
			else farewells++;
			await pause(bye ?? toDelay(attempt++, Math.random()));
		}
	})();
	return {
		account,
		answers,
		farewells: () => farewells,
		cuts: () => cuts,
		stop() {
			stopped = true;
			close();
		},
	};
}

export type Writer = {
	/** of the answers, by status; 0: none came */
	answers: Map<number, number>;
	/** ends after the answer that is under way */
	stop(): Promise<void>;
};

/** Sends an event, waits for its answer, and sends the next. */
export function startWriter(client: Client, key: string, everyMs: number): Writer {
	const answers = new Map<number, number>();
	let stopped = false;
	const done = (async () => {
		while (!stopped) {
			const status = await send(client, key).catch(() => 0);
			answers.set(status, (answers.get(status) ?? 0) + 1);
			await pause(everyMs);
		}
	})();
	return {
		answers,
		async stop() {
			stopped = true;
			await done;
		},
	};
}

/** @returns the status; without a key as anyone might */
export async function send(client: Client, key: string | null): Promise<number> {
	const answer = await client.ask('/api/events', {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			// a program, not a robot
			'user-agent': 'rehearsal',
			...(key && { authorization: `Bearer ${key}` }),
		},
		body: JSON.stringify({ name: 'order', eventId: randomUUID() }),
	});
	await readText(answer);
	return answer.status;
}

/** Whether a stream that is resumed from `cursor` begins with a reset, within `ms`. */
export async function isReset(
	client: Client,
	cookie: string,
	cursor: string,
	ms: number,
): Promise<boolean> {
	const path = `${PATH}?cursor=${encodeURIComponent(cursor)}`;
	const { status, body } = await client.ask(path, { headers: { cookie } });
	if (status !== 200) throw new Error(`The stream answers ${status}.`);
	const timer = setTimeout(() => body.destroy(), ms);
	let text = '';
	try {
		for await (const chunk of body) {
			text += chunk;
			if (text.includes('event: reset\n')) return true;
		}
	} catch {
		// it was destroyed: the time is over
	} finally {
		clearTimeout(timer);
		body.destroy();
	}
	return false;
}
