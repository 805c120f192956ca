/**
 * The one LISTEN of a process. A notification carries nothing: it only says "look". What was rung while the connection was away is
 * gone, so every (re)connect rings as well; and because a pooler accepts LISTEN and delivers nothing, and a half-open
 * socket stays silent for minutes, it rings itself and says `deaf` when it does not hear that.
 * It renews its client rather than unlisten: postgres.js' unlisten does nothing after a reconnect.
 */
import type { Sql } from '../db/connect';
import type { ListenerState } from '../../protocol';
import { withDeadline } from '../db/deadline';
import { createRenewingClient } from '../db/renewing-client';
import { toReason } from '../db/errors';

/** Between two rings of oneself: with the deadline, a dead socket is noticed within 10 s. */
export const SELF_PING_MS = 5_000;
/** A healthy echo takes about a millisecond; the first one decides whether a pooler is in the way. */
export const SELF_PING_DEADLINE_MS = 2_500;

export type Listener = {
	state(): ListenerState;
	/** Rings itself now, instead of when it is due. */
	check(): void;
	stop(): Promise<void>;
};

/**
 * @param connect makes a client on the direct connection; each is ended by the listener
 * @param onBell something may have been committed; must not throw
 * @param onState the state is known or changed, with the reason; `answered`: NOTIFY was executed, so what is deaf is a pooler
 * @param pingMs asked before every ring of oneself
 */
export function startListener({
	connect,
	onBell,
	onState,
	pingMs = () => SELF_PING_MS,
	deadlineMs = SELF_PING_DEADLINE_MS,
}: {
	connect: () => Sql;
	onBell: () => void;
	onState: (state: ListenerState, reason: string, answered: boolean) => void;
	pingMs?: () => number;
	deadlineMs?: number;
}): Listener {
	let state: ListenerState | null = null;
	let answered = false;
	let stopped = false;
	const client = createRenewingClient(connect);
	let timer: ReturnType<typeof setTimeout> | undefined;
	let pinging = false;
	let heard: (() => void) | null = null;
	/** tells our own rings from those of other processes */
	const self = `ping ${crypto.randomUUID()}`;

	function become(next: ListenerState, reason: string, hasAnswered: boolean) {
		if ((state === next && answered === hasAnswered) || stopped) return;
		state = next;
		answered = hasAnswered;
		onState(next, reason, hasAnswered);
	}

	function onNotify(payload: string) {
		if (payload === self) heard?.();
		else if (!payload.startsWith('ping ')) onBell();
	}

	function renew() {
		client.renew();
		const sql = client.sql();
		// once per client: a failed call goes on trying inside, and a second one would add a second listener
		sql.listen(sql.schema.name, onNotify, () => plan(0)).catch(() => {});
	}

	function plan(delayMs: number) {
		clearTimeout(timer);
		if (!stopped) timer = setTimeout(() => void ping(), delayMs);
	}

	async function ping() {
		if (pinging) return;
		pinging = true;
		await ringSelf().finally(() => (pinging = false));
		if (!stopped) plan(state === 'up' ? pingMs() : SELF_PING_MS);
	}

	async function ringSelf() {
		const sql = client.sql();
		const echo = new Promise<void>((resolve) => (heard = resolve));
		let hasAnswered = false;
		try {
			await withDeadline(sql`select pg_notify(${sql.schema.name}, ${self})`, deadlineMs, 'NOTIFY');
			hasAnswered = true;
			await withDeadline(echo, deadlineMs, 'the echo of NOTIFY');
			if (stopped || sql !== client.sql()) return;
			become('up', 'NOTIFY arrives', true);
			onBell();
		} catch (error) {
			if (stopped || sql !== client.sql()) return;
			become('deaf', toReason(error), hasAnswered);
			renew();
		}
	}

	renew();
	plan(deadlineMs);

	return {
		state: () => state ?? 'deaf',
		check: () => plan(0),
		async stop() {
			stopped = true;
			clearTimeout(timer);
			await client.end(0).catch(() => {});
		},
	};
}
