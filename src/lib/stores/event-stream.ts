/**
 * A typed readable store over native EventSource (constructed in `environment.ts` alone). Owns the source, the timers and
 * the browser's signs of life; what they mean is decided in `connection.ts`. One connection while anyone subscribes;
 * nothing at all on the server.
 * Don't trust EventSource to reconnect: it stops for good on any status but 200, and a dead socket stays "open".
 */
import { writable, type Readable } from 'svelte/store';
import type { Bye } from '../protocol';
import {
	toConnection,
	toEffects,
	toNext,
	toRetryAt,
	toStatus,
	type Input,
	type Status,
} from './connection';
import { LOOKED_AT, toEnvironment, type Environment, type Source } from './environment';
import { parseText, type Parse } from './check';
import { Refusal } from './status';

export type StreamState = {
	status: Status;
	/** failures in a row */
	attempt: number;
	/** ms epoch of the next attempt, or null when none is planned */
	retryAt: number | null;
	/** a sentence; null from the next event on */
	lastError: string | null;
	/** ms epoch; whatever the event was, pings too */
	lastEventAt: number | null;
	/** id of the last complete event that had one: where the next connection resumes */
	cursor: string | null;
};

/** An event with its payload and the position of the stream after it, for each name. */
export type Received<Events> = {
	[Name in keyof Events & string]: [name: Name, payload: Events[Name], cursor: string | null];
}[keyof Events & string];

export type StreamOptions<Events> = {
	/** the events to listen to, and what their data must be */
	parsers: { [Name in keyof Events & string]: Parse<Events[Name]> };
	/** Called once for each event whose payload could be read, after the store's own value has moved on. */
	onEvent: (...received: Received<Events>) => void;
	/** A payload that cannot be read: reported here and as `lastError`, then ignored. */
	onError?: (reason: string) => void;
	/** where to begin; null asks for the whole state */
	cursor?: string | null;
	maxAttempts?: number;
	/** Asked after an error, since EventSource cannot see a status; resolves to a sentence. The answer to the newest question is shown. */
	diagnose?: () => Promise<string>;
	environment?: Environment | null;
};

export type EventStream = Readable<StreamState> & {
	/** An attempt now, with a new count; without effect while connecting or live. */
	retry: () => void;
};

/** A change of page unsubscribes and subscribes again: the connection outlives it. */
export const LINGER_MS = 1_000;
/** A hidden tab gives its connection back after this: HTTP/1.1 has six for all tabs together. */
export const HIDDEN_MS = 30_000;
/**
 * At once when this many looks at other tabs came since: a viewer who goes through twenty tabs finds each live, and one who goes
 * back and forth between two keeps both streams.
 */
export const LOOKS_ELSEWHERE = 3;
/** Leaving the page breaks the stream before `pagehide` says why; an error is held back for this long. */
export const LEAVING_MS = 2_000;

/**
 * @param url where to connect, given the position to resume from; asked for every attempt. One that throws, or whose promise is
 * not kept (within the watchdog), is a failed attempt; a Refusal is shown as it is, and NEEDS_LOGIN leads the page to the login.
 */
export function createEventStream<Events extends { bye: Bye }>(
	url: (cursor: string | null) => string | Promise<string>,
	options: StreamOptions<Events>,
): EventStream {
	const environment = options.environment === undefined ? toEnvironment() : options.environment;
	let connection = toConnection(options.maxAttempts);
	let state: StreamState = {
		status: toStatus(connection),
		attempt: 0,
		retryAt: null,
		lastError: null,
		lastEventAt: null,
		cursor: options.cursor ?? null,
	};
	if (!environment) return { subscribe: writable(state).subscribe, retry: () => {} };
	const { openSource, window, document, isOnline, announce, now, random, after } = environment;

	const { subscribe, set } = writable(state, start);
	let source: Source | null = null;
	/** the address that this attempt waits for: one of an attempt that is over opens nothing */
	let awaited: Promise<string> | null = null;
	let leavingUntil = 0;
	let looksElsewhere = 0;
	let questions = 0;
	let cancelDeadline = (): void => {};
	let cancelHeld = (): void => {};
	let cancelLinger = (): void => {};
	let cancelHidden = (): void => {};
	let detach = (): void => {};
	return { subscribe, retry: () => give({ type: 'retry' }) };

	/** The only way to change anything: the table decides, then the outside follows. */
	function give(input: Input, change: Partial<StreamState> = {}): void {
		const before = connection;
		let failure: string | null = null;
		connection = toNext(before, input, { now: now(), random: random() });
		for (const effect of toEffects(before, connection)) {
			if (effect === 'close') close();
			else if (effect === 'open') failure = open();
			else if (change.lastError) questions++;
			else void ask();
		}
		// a timer that has fired is gone, also when the same deadline stands: it may fire before a clock that was set back
		if (connection.deadline !== before.deadline || input.type === 'elapsed') {
			cancelDeadline();
			if (connection.deadline !== null)
				cancelDeadline = after(connection.deadline - now(), () => give({ type: 'elapsed' }));
		}
		if (failure !== null) give({ type: 'errored' }, { ...change, lastError: failure });
		else if (connection !== before || Object.keys(change).length > 0) show(change);
	}

	function show(change: Partial<StreamState>): void {
		const { attempt } = connection;
		const retryAt = toRetryAt(connection);
		set((state = { ...state, ...change, status: toStatus(connection), attempt, retryAt }));
	}

	/** @returns why there is no source: a bad address is a failed attempt like any other */
	function open(): string | null {
		try {
			const address = url(state.cursor);
			if (typeof address === 'string') connect(address);
			else wait(address);
			return null;
		} catch (error) {
			return toReason(error);
		}
	}

	function wait(address: Promise<string>): void {
		awaited = address;
		address.then(
			(text) => {
				if (awaited !== address) return;
				awaited = null;
				try {
					connect(text);
				} catch (error) {
					give({ type: 'errored' }, { lastError: toReason(error) });
				}
			},
			(error: unknown) => {
				if (awaited === address) hold({ lastError: toReason(error) });
			},
		);
	}

	function connect(address: string): void {
		const opened = openSource(address);
		source = opened;
		// what a closed source still says is not about this connection
		const on = (type: string, listener: (event: Event) => void): void =>
			opened.addEventListener(type, (event) => {
				if (source === opened) listener(event);
			});
		on('open', () => give({ type: 'opened' }));
		on('error', () => hold());
		for (const name of Object.keys(options.parsers) as (keyof Events & string)[])
			on(name, (event) => receive(name, event as MessageEvent<string>));
	}

	function close(): void {
		cancelHeld();
		source?.close();
		source = null;
		awaited = null;
	}

	/** Errors count at once, but not while the page is being left: that would flash "disconnected". */
	function hold(change: Partial<StreamState> = {}): void {
		const rest = Math.min(leavingUntil - now(), LEAVING_MS);
		if (rest <= 0) return give({ type: 'errored' }, change);
		source?.close();
		cancelHeld();
		cancelHeld = after(rest, () => give({ type: 'errored' }, change));
	}

	function receive<Name extends keyof Events & string>(
		name: Name,
		{ data, lastEventId }: MessageEvent<string>,
	): void {
		const parsed = parseText(data, options.parsers[name]);
		const cursor = lastEventId || state.cursor;
		const lastError = parsed.ok ? null : `Event ${name}: ${parsed.reason}`;
		const bye = parsed.ok && name === 'bye' ? (parsed.value as Bye) : null;
		give(bye ? { type: 'bye', retryMs: bye.retryMs } : { type: 'event' }, {
			cursor,
			lastError,
			lastEventAt: now(),
		});
		if (parsed.ok) options.onEvent(...([name, parsed.value, cursor] as Received<Events>));
		else options.onError?.(`Event ${name}: ${parsed.reason}`);
	}

	async function ask(): Promise<void> {
		if (!options.diagnose) return;
		const question = ++questions;
		let lastError: string;
		try {
			lastError = await options.diagnose();
		} catch {
			return;
		}
		// an event, or another failure, since then knows better
		if (question === questions && connection.attempt > 0) show({ lastError });
	}

	function start(): () => void {
		cancelLinger();
		if (connection.phase === 'idle') {
			detach = attach();
			// tabs opened in the background must not take all of the connections before one is looked at
			if (!document.hidden) announce();
			give({ type: document.hidden ? 'hidden' : 'subscribe' });
		}
		return () => {
			cancelLinger = after(LINGER_MS, () => {
				detach();
				give({ type: 'release' });
			});
		};
	}

	function watchHidden(): void {
		cancelHidden();
		looksElsewhere = 0;
		if (document.hidden) cancelHidden = after(HIDDEN_MS, () => give({ type: 'hidden' }));
	}

	function yieldTo(event: Event): void {
		if (!document.hidden || (event as StorageEvent).key !== LOOKED_AT) return;
		if (++looksElsewhere < LOOKS_ELSEWHERE) return;
		cancelHidden();
		give({ type: 'hidden' });
	}

	/** Sees the page again: the browser's word about the network may have been missed while frozen. */
	function wake(type: 'shown' | 'pageshow'): void {
		leavingUntil = 0;
		watchHidden();
		// every page gets its first `pageshow`, also a hidden one
		if (document.hidden) return;
		announce();
		if (isOnline()) give({ type: 'online' });
		give({ type });
	}

	function attach(): () => void {
		const listeners: [EventTarget, string, (event: Event) => void][] = [
			[window, 'online', () => give({ type: 'online' })],
			[window, 'offline', () => give({ type: 'offline' })],
			[window, 'beforeunload', () => (leavingUntil = now() + LEAVING_MS)],
			[window, 'pagehide', () => give({ type: 'pagehide' })],
			[window, 'pageshow', () => wake('pageshow')],
			[window, 'storage', yieldTo],
			[document, 'visibilitychange', () => (document.hidden ? watchHidden() : wake('shown'))],
		];
		for (const [target, type, run] of listeners) target.addEventListener(type, run);
		return () => {
			cancelHidden();
			for (const [target, type, run] of listeners) target.removeEventListener(type, run);
		};
	}
}

/** Why there is no address, or no source for it: a sentence. */
function toReason(error: unknown): string {
	if (error instanceof Refusal) return error.message;
	return `The stream cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
}
