/**
 * One process's side of the relay. It decides whether this process reads events from Postgres, for itself or for all, or takes what
 * another one has read. That only saves queries: the drain takes a message or not by its cursors (docs/decisions/0027).
 */
import type { Logger } from 'pino';
import type { Clock } from '../db/database-clock';
import { isWithin, type Cursor } from '../reader/cursor';
import type { Delta, Drain } from '../reader/drain';
import type { Row } from '../reader/row';
import type { Channel } from './channel';
import { ASK_EVERY_MS, type ReaderLock } from './lock';
import { decodeMessage, encodeMessage, type Message, type Ticked } from './message';
import { createRecorder } from './recorder';
import { RELAY_TROUBLES, type RelayTrouble } from './trouble';

/** `edge`: it never becomes the reader, and waits while the relay is away. */
export type RelayRole = 'all' | 'edge';
/**
 * `reader`: reads from Postgres for all; `follower`: takes what the reader has read; `alone`: reads for itself, because nothing
 * comes; `waiting`: an edge, because nothing comes.
 */
export const RELAY_MODES = ['reader', 'follower', 'alone', 'waiting'] as const;
export type RelayMode = (typeof RELAY_MODES)[number];

/** Between two messages of a reader that has nothing new to tell. */
export const HEARTBEAT_MS = 500;
/** After so long without a message of the reader, or with older ones only, every process reads for itself. */
export const STALE_MS = 2_000;
/** A reader that does not receive its own messages for so long gives up the lock, and tries again later. */
const GIVE_UP_MS = 5_000;
const TRY_AGAIN_MS = 10_000;
const CONTEND_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 100;
/** Messages of another history make a process ask Postgres which one is true, at most so often. */
const DOUBT_EVERY_MS = 1_000;
/** Messages that wait for the drain; beyond that Postgres is read. */
const MAX_WAITING = 1_000;
const MAX_WAITING_BYTES = 32 * 2 ** 20;

export type RelayCounts = {
	/** written for others; known to be lost on the way */
	appended: number;
	dropped: number;
	/** with something new, and taken */
	taken: number;
	/** that did not fit: Postgres was read instead */
	gaps: number;
	/** of another history, or not to be understood */
	foreign: number;
};

export type RelayStatus = RelayCounts & {
	role: RelayRole;
	mode: RelayMode;
	up: boolean;
	trouble: RelayTrouble | null;
	/** how old the last message was when it came; null: none came yet */
	lagMs: number | null;
};

/** What the reading side does with the relay. */
export type Relay = {
	/** Whether this process asks Postgres for new rows. */
	reads(): boolean;
	/** The drain starts over here. */
	begin(at: Cursor): void;
	/** A row was visited; then, exactly the rows up to `to` were. */
	saw(row: Row): void;
	move(to: Cursor): void;
	/** Hands the drain what has come. @returns false when Postgres must be read for what is missing */
	pass(drain: Drain): boolean;
	/** Tells others a tick that was recorded here. */
	tick(ticked: Ticked): void;
	status(): RelayStatus;
	start(owner: RelayOwner): void;
	stop(): Promise<void>;
};

export type RelayOwner = {
	clock: Clock;
	/** the position up to which everything is shown; null before the first reading */
	published: () => Cursor | null;
	/** the last read of Postgres succeeded */
	isUp: () => boolean;
	/** something came that is to be passed to the drain */
	onNews: () => void;
	/** `reads` or the status has changed */
	onTurn: () => void;
	onTick: (ticked: Ticked) => void;
};

/** Does nothing before `start`. @param id tells its own messages from those of others */
export function createRelay({
	role,
	channel,
	lock,
	log,
	id = crypto.randomUUID(),
}: {
	role: RelayRole;
	channel: Channel;
	lock: ReaderLock;
	log: Pick<Logger, 'info' | 'warn'>;
	id?: string;
}): Relay {
	const counts: RelayCounts = { appended: 0, dropped: 0, taken: 0, gaps: 0, foreign: 0 };
	const recorder = createRecorder();
	const mine = `{"by":${JSON.stringify(id)},`;
	let owner: RelayOwner | null = null;
	let mode: RelayMode = role === 'edge' ? 'waiting' : 'alone';
	let timer: ReturnType<typeof setInterval> | undefined;
	let stopped = false;
	let asking = false;

	/** times of this process's clock */
	let heardAt = -Infinity;
	let cameBackAt = -Infinity;
	let saidAt = -Infinity;
	let askAt = 0;
	let doubtAt = 0;
	let reader: string | null = null;
	let lagMs: number | null = null;

	let waiting: Delta[] = [];
	let waitingBytes = 0;
	/** something is missing: only Postgres has it */
	let missed = false;

	function say(message: Omit<Message, 'by'>) {
		saidAt = performance.now();
		if (channel.append(encodeMessage({ by: id, ...message }))) counts.appended++;
		else counts.dropped++;
	}

	/** the position up to which others were told everything, as a message without news */
	function standing(): Delta | null {
		const at = recorder.at();
		return at && owner && { from: at, to: at, at: owner.clock.now(), rows: [] };
	}

	function hear(text: string) {
		const now = performance.now();
		if (stopped) return;
		if (text.startsWith(mine)) {
			cameBackAt = now;
			return;
		}
		const at = owner?.published();
		if (!owner || lock.held()) return;
		const message = decodeMessage(text);
		if (!message || (at && message.delta.to.epoch !== at.epoch)) return doubt(now);
		const { delta, by, ticked, ends } = message;
		lagMs = Math.max(0, owner.clock.now() - delta.at);
		// the clock of Postgres, where this process does not ask it
		if (delta.at > owner.clock.now()) owner.clock.see(delta.at);
		if (ends && by === reader) heardAt = -Infinity;
		else if (role === 'edge' || lagMs < STALE_MS) {
			heardAt = now;
			reader = by;
		}
		if (ticked && mode === 'follower') owner.onTick(ticked);
		if (!at || !isWithin(delta.to, at)) {
			wait(delta, text.length);
			owner.onNews();
		}
		look();
	}

	function wait(delta: Delta, bytes: number) {
		waiting.push(delta);
		waitingBytes += bytes;
		if (waiting.length <= MAX_WAITING && waitingBytes <= MAX_WAITING_BYTES) return;
		forget();
		missed = true;
	}

	function forget() {
		waiting = [];
		waitingBytes = 0;
	}

	function doubt(now: number) {
		counts.foreign++;
		if (now - doubtAt < DOUBT_EVERY_MS) return;
		doubtAt = now;
		missed = true;
		owner?.onNews();
	}

	function toMode(): RelayMode {
		if (lock.held()) return 'reader';
		if (performance.now() - heardAt < STALE_MS) return 'follower';
		return role === 'edge' ? 'waiting' : 'alone';
	}

	function look() {
		const now = toMode();
		if (now === mode || stopped) return;
		mode = now;
		const { trouble } = channel.state();
		log.info({ relay: mode, ...(trouble && { trouble: RELAY_TROUBLES[trouble] }) }, SAYS[mode]);
		owner?.onTurn();
	}

	async function ask() {
		asking = true;
		const had = lock.held();
		const has = await lock.ask();
		asking = false;
		if (stopped) return;
		if (has && !had) cameBackAt = performance.now();
		askAt = performance.now() + (has ? ASK_EVERY_MS : CONTEND_EVERY_MS);
		look();
	}

	function onTimer() {
		const now = performance.now();
		if (lock.held()) {
			if (now - cameBackAt > GIVE_UP_MS) {
				lock.release();
				askAt = now + TRY_AGAIN_MS;
			} else if (owner?.isUp() && now - saidAt >= HEARTBEAT_MS) {
				const delta = standing();
				if (delta) say({ delta });
			}
		}
		look();
		const wants = lock.held() || (mode === 'alone' && channel.state().up && owner?.published());
		if (wants && !asking && now >= askAt) void ask();
	}

	return {
		reads: () => mode === 'reader' || mode === 'alone',
		begin(at) {
			recorder.begin(at);
		},
		saw: recorder.saw,
		move(to) {
			const before = recorder.at();
			const delta = recorder.move(to, owner?.clock.now() ?? 0);
			if (delta && before && lock.held() && !isWithin(to, before)) say({ delta });
		},
		pass(drain) {
			const came = waiting;
			let whole = !missed;
			forget();
			missed = false;
			if (lock.held()) return false;
			for (const delta of came) {
				if (isWithin(delta.to, drain.cursor())) continue;
				if (drain.take(delta)) counts.taken++;
				else {
					counts.gaps++;
					whole = false;
				}
			}
			drain.cut();
			return whole && mode !== 'alone';
		},
		tick(ticked) {
			const delta = lock.held() ? standing() : null;
			if (delta) say({ delta, ticked });
		},
		status: () => ({ ...counts, role, mode, ...channel.state(), lagMs }),
		start(by) {
			owner = by;
			channel.start(hear, () => {
				const { up, trouble } = channel.state();
				if (up) log.info({ relay: 'up' }, 'the relay answers');
				else log.warn({ trouble }, `the relay: ${RELAY_TROUBLES[trouble ?? 'unreachable']}`);
				by.onTurn();
			});
			timer = setInterval(onTimer, LOOK_EVERY_MS);
		},
		async stop() {
			const delta = lock.held() ? standing() : null;
			if (delta) say({ delta, ends: true });
			stopped = true;
			clearInterval(timer);
			await lock.stop();
			await channel.stop();
		},
	};
}

const SAYS: Readonly<Record<RelayMode, string>> = {
	reader: 'reading from Postgres for all',
	follower: 'taking events from the relay',
	alone: 'nothing comes from the relay: reading from Postgres',
	waiting: 'nothing comes from the relay: waiting for it',
};
