/**
 * The client's connection as a total table: phase × input → the next connection. Pure: no clock, no timer, no socket.
 * A stream is open in the phases `connecting` and `live` and in no other, so two can never be open: `toEffects` reads
 * from the change of phase what is to be opened or closed. Each phase has at most one deadline, so one timer serves all.
 * Note: `opened` proves nothing (a server may accept and die at once, for ever); a received event does.
 */
import { WATCHDOG_MS } from '../protocol';
import { toDelay } from './backoff';

export type Phase = 'idle' | 'connecting' | 'live' | 'waiting' | 'offline' | 'failed' | 'hidden';
/** What is shown. No one sees `idle` (shown as connecting) and `hidden` (shown as waiting). */
export type Status = 'connecting' | 'live' | 'waiting' | 'offline' | 'failed';

export type Connection = {
	phase: Phase;
	/** failures in a row since the last received event or sign of a new chance */
	attempt: number;
	/** ms epoch. waiting, failed: the next attempt; connecting, live: when silence means dead; else null */
	deadline: number | null;
	/** ms epoch of the attempts of the last minute, oldest first */
	attempts: readonly number[];
	/** what the browser said last; it may be wrong, so a received event overrules it */
	online: boolean;
	/** failures in a row after which it is `failed` */
	maxAttempts: number;
};

export type Input =
	| { type: 'bye'; retryMs: number }
	| {
			type:
				/** the first subscriber came */
				| 'subscribe'
				/** the last subscriber left, and the linger is over */
				| 'release'
				| 'opened'
				| 'event'
				| 'errored'
				/** the deadline passed */
				| 'elapsed'
				| 'online'
				| 'offline'
				/** the tab has been hidden for HIDDEN_MS, or from the start */
				| 'hidden'
				| 'shown'
				| 'pagehide'
				| 'pageshow'
				/** a person asks for it */
				| 'retry';
	  };
/** When an input happens: ms epoch, and a random number in [0, 1). */
export type Moment = { now: number; random: number };
export type Effect = 'open' | 'close' | 'diagnose';

/** Failures in a row before it says so: two to three minutes, longer than a deployment takes. */
export const MAX_ATTEMPTS = 10;
/** A dead server is asked no more often, whatever wakes us; more than the backoff alone ever needs. */
export const MAX_ATTEMPTS_PER_MINUTE = 12;
/** `failed` goes on trying, slowly: a wall display must come back by itself. */
export const PROBE_MS = 60_000;
/** After sleep, timers fire before the data that queued up meanwhile: silence counts only after this long. */
export const WAKE_GRACE_MS = 1_500;
/** A network that comes back brings all clients at once; spread over this long. */
export const ONLINE_JITTER_MS = 500;
/** `bye` may not send a client away for longer. */
export const MAX_BYE_MS = 5 * 60_000;
const MINUTE_MS = 60_000;

/** Before the first subscriber. */
export function toConnection(maxAttempts = MAX_ATTEMPTS): Connection {
	return { phase: 'idle', attempt: 0, deadline: null, attempts: [], online: true, maxAttempts };
}

type Step = (connection: Connection, moment: Moment, byeMs: number) => Connection;

const stay: Step = (c) => c;
const close = (c: Connection, phase: 'idle' | 'offline' | 'hidden'): Connection => ({
	...c,
	phase,
	deadline: null,
});
const wait = (c: Connection, deadline: number): Connection => ({
	...c,
	phase: 'waiting',
	deadline,
});

/** Opens, or waits until the minute has room for another attempt. Attempts "in the future" mean that the clock was set back. */
const open: Step = (c, { now }) => {
	const attempts = c.attempts.filter((at) => at <= now && now - at < MINUTE_MS);
	const oldest = attempts[0];
	if (oldest !== undefined && attempts.length >= MAX_ATTEMPTS_PER_MINUTE)
		return c.online ? { ...wait(c, oldest + MINUTE_MS), attempts } : close(c, 'offline');
	return { ...c, phase: 'connecting', attempts: [...attempts, now], deadline: now + WATCHDOG_MS };
};
/** A sign of a new chance: the count restarts. */
const wake: Step = (c, moment, byeMs) => open({ ...c, attempt: 0 }, moment, byeMs);
const begin: Step = (c, moment, byeMs) => wake({ ...c, online: true }, moment, byeMs);
const leave: Step = (c) => ({ ...close(c, 'idle'), attempt: 0 });
const hide: Step = (c) => close(c, 'hidden');
const lift: Step = (c) => ({ ...close(c, 'offline'), online: false });
const show: Step = (c, moment, byeMs) => (c.online ? wake(c, moment, byeMs) : close(c, 'offline'));
const join: Step = (c, { now }) => ({ ...c, phase: 'live', deadline: now + WATCHDOG_MS });
const hear: Step = (c, moment, byeMs) => ({ ...join(c, moment, byeMs), attempt: 0, online: true });

const lose: Step = (c, { now, random }) => {
	const attempt = c.attempt + 1;
	if (!c.online) return { ...close(c, 'offline'), attempt };
	if (attempt < c.maxAttempts) return { ...wait(c, now + toDelay(c.attempt, random)), attempt };
	return { ...c, phase: 'failed', attempt, deadline: now + PROBE_MS * (0.7 + 0.3 * random) };
};
const part: Step = (c, { now }, byeMs) =>
	wait({ ...c, attempt: 0, online: true }, now + Math.min(Math.max(byeMs, 0), MAX_BYE_MS));

/** Silence: at once dead if the timer fired in time; if it fired late, the machine slept, and data may be queued. */
const overdue: Step = (c, moment, byeMs) =>
	c.deadline !== null && moment.now - c.deadline > WAKE_GRACE_MS
		? { ...c, deadline: moment.now + WAKE_GRACE_MS }
		: lose(c, moment, byeMs);
/** Awake again with a stream that looks open: if it is overdue, it gets the grace and no more. */
const check: Step = (c, { now }) =>
	c.deadline !== null && now >= c.deadline ? { ...c, deadline: now + WAKE_GRACE_MS } : c;
const recheck: Step = (c, moment, byeMs) => ({ ...check(c, moment, byeMs), online: true });

const soon: Step = (c, { now, random }) =>
	wait({ ...c, attempt: 0, online: true }, now + random * ONLINE_JITTER_MS);
const note =
	(online: boolean): Step =>
	(c) => ({ ...c, online });

type Row = readonly [Step, Step, Step, Step, Step, Step, Step];
const COLUMN = {
	idle: 0,
	connecting: 1,
	live: 2,
	waiting: 3,
	offline: 4,
	failed: 5,
	hidden: 6,
} as const satisfies Record<Phase, number>;

/**
 * Every phase answers every input; a missing cell does not compile. In `offline` only a person overrules the browser
 * (it says "offline" on a machine that still reaches itself).
 */
// prettier-ignore
const TABLE: { [I in Input['type']]: Row } = {
	//           idle   connecting live     waiting offline failed hidden
	subscribe: [ begin, stay,      stay,    stay,   stay,   stay,  stay ],
	release:   [ stay,  leave,     leave,   leave,  leave,  leave, leave ],
	opened:    [ stay,  join,      stay,    stay,   stay,   stay,  stay ],
	event:     [ stay,  hear,      hear,    stay,   stay,   stay,  stay ],
	errored:   [ stay,  lose,      lose,    stay,   stay,   stay,  stay ],
	bye:       [ stay,  part,      part,    stay,   stay,   stay,  stay ],
	elapsed:   [ stay,  overdue,   overdue, open,   stay,   open,  stay ],
	online:    [ stay,  recheck,   recheck, soon,   soon,   soon,  note(true) ],
	offline:   [ stay,  lift,      lift,    lift,   stay,   lift,  note(false) ],
	hidden:    [ hide,  hide,      hide,    hide,   hide,   hide,  stay ],
	shown:     [ stay,  check,     check,   wake,   stay,   wake,  show ],
	pagehide:  [ stay,  hide,      hide,    hide,   hide,   hide,  stay ],
	pageshow:  [ stay,  check,     check,   wake,   stay,   wake,  show ],
	retry:     [ stay,  stay,      stay,    wake,   wake,   wake,  stay ]
};

/** What the connection becomes; the table above has every case. */
export function toNext(connection: Connection, input: Input, moment: Moment): Connection {
	const byeMs = input.type === 'bye' ? input.retryMs : 0;
	return TABLE[input.type][COLUMN[connection.phase]](connection, moment, byeMs);
}

/** Whether there is an EventSource. */
export function isOpen(phase: Phase): boolean {
	return phase === 'connecting' || phase === 'live';
}

/** What the change asks the outside to do, in this order; after a failure also to find out why. */
export function toEffects(before: Connection, after: Connection): Effect[] {
	const effects: Effect[] = [];
	if (isOpen(before.phase) && !isOpen(after.phase)) effects.push('close');
	if (!isOpen(before.phase) && isOpen(after.phase)) effects.push('open');
	if (after.attempt > before.attempt) effects.push('diagnose');
	return effects;
}

/** A probe of a connection that has failed is not worth a change on the screen until it succeeds. */
export function toStatus({ phase, attempt, maxAttempts }: Connection): Status {
	if (phase === 'idle') return 'connecting';
	if (phase === 'hidden') return 'waiting';
	return phase === 'connecting' && attempt >= maxAttempts ? 'failed' : phase;
}

/** ms epoch of the next attempt, where one is planned. */
export function toRetryAt({ phase, deadline }: Connection): number | null {
	return phase === 'waiting' || phase === 'failed' ? deadline : null;
}
