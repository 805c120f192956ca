/** Runs in Chromium (tests/wire/chromium.test.ts): native EventSource as it is, and our store over it in a hurry. */
import type { Bye } from '../../src/lib/protocol';
import { toEnvironment, type Source } from '../../src/lib/stores/environment';
import { createEventStream, type StreamState } from '../../src/lib/stores/event-stream';
import { PARSERS } from '../../src/lib/stores/parse';
import type { Received } from './parsers';

/** Waits between attempts are a fiftieth of the real ones: what is tested is the wire. */
const HURRY = 50;
/** Longer ones are the watchdog's: in a hurry it would leave the stream of a page that is only slow. */
const WAIT_MS = 30_000;

/** What a native EventSource heard until its first error. */
export type NativeReport = {
	events: Received[];
	opened: boolean;
	/** after the error: 0 it reconnects, 2 it is closed for good */
	readyState: number;
	/** until it opened again; null: it did not reconnect */
	backAfterMs: number | null;
};
export type StoreReport = {
	words: string[];
	states: StreamState[];
	/** most sources that were not closed at the same moment */
	mostOpen: number;
};

/** @param names the events to listen to, beside `message` */
async function listen(url: string, names: string[], again: boolean): Promise<NativeReport> {
	const source = new EventSource(url);
	const events: Received[] = [];
	let opened = false;
	const keep = ({ type, data, lastEventId }: MessageEvent<string>) =>
		events.push({ event: type, data, id: lastEventId });
	for (const name of new Set(['message', ...names])) source.addEventListener(name, keep as never);
	source.addEventListener('open', () => (opened = true));
	// a message may have the name `error`
	const failed = () =>
		new Promise<void>((resolve) =>
			source.addEventListener('error', (event) => event instanceof MessageEvent || resolve()),
		);
	await failed();
	const readyState = source.readyState;
	const heard = [...events];
	let backAfterMs: number | null = null;
	if (again && readyState !== EventSource.CLOSED) {
		const ended = performance.now();
		await new Promise((resolve) => source.addEventListener('open', resolve, { once: true }));
		backAfterMs = performance.now() - ended;
	}
	source.close();
	return { events: heard, opened, readyState, backAfterMs };
}

let leave = (): void => {};
let report: StoreReport;

/** @param hurriesWatchdog it too waits for a fiftieth of its time */
function startStore(url: string, hurriesWatchdog = false): void {
	const environment = toEnvironment();
	if (!environment) throw new Error('This is no browser.');
	const words: string[] = [];
	const states: StreamState[] = [];
	const sources: EventSource[] = [];
	report = { words, states, mostOpen: 0 };
	const store = createEventStream<{ word: string; bye: Bye }>(
		(cursor) => (cursor === null ? url : `${url}?cursor=${encodeURIComponent(cursor)}`),
		{
			parsers: { word: (data) => ({ ok: true, value: String(data) }), bye: PARSERS.bye },
			onEvent: (...[name, payload]) => {
				if (name === 'word') words.push(payload);
			},
			environment: {
				...environment,
				random: () => 0,
				after: (ms, run) =>
					environment.after(ms < WAIT_MS || hurriesWatchdog ? ms / HURRY : ms, run),
				isOnline: () => true,
				openSource(url): Source {
					const source = environment.openSource(url) as EventSource;
					sources.push(source);
					const open = sources.filter(({ readyState }) => readyState !== EventSource.CLOSED);
					report.mostOpen = Math.max(report.mostOpen, open.length);
					return source;
				},
			},
		},
	);
	leave = store.subscribe((state) => states.push(state));
}

const page = {
	listen,
	startStore,
	readStore: () => report,
	leaveStore: () => leave(),
};
export type Page = typeof page;
Object.assign(window, { page });
