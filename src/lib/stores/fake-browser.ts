/** A browser for tests in which time is the subject: its clock moves when told to, its sources say what they are told. */
import type { Environment, Source } from './environment';
import { START } from './fixtures';

export type FakeSource = Source & {
	url: string;
	closed: boolean;
	open: () => void;
	fail: () => void;
	/** an event with a payload, and the id that the stream last carried */
	send: (name: string, payload: unknown, lastEventId?: string) => void;
	sendText: (name: string, data: string, lastEventId?: string) => void;
};

export type FakeBrowser = Environment & {
	sources: FakeSource[];
	/** the newest source */
	source: () => FakeSource;
	openCount: () => number;
	timerCount: () => number;
	/** Moves the clock, running every timer that becomes due, in order. */
	pass: (ms: number) => void;
	/** Moves the clock as sleep does: what became due runs late, at the end. */
	sleep: (ms: number) => void;
	hide: () => void;
	show: () => void;
	setOnline: (online: boolean) => void;
	tell: (type: 'pagehide' | 'pageshow' | 'beforeunload') => void;
};

export function createFakeBrowser(): FakeBrowser {
	const sources: FakeSource[] = [];
	let timers: { at: number; run: () => void }[] = [];
	let now = START;
	let hidden = false;
	let online = true;
	const window = new EventTarget();
	const document = Object.defineProperty(new EventTarget(), 'hidden', {
		get: () => hidden,
	}) as FakeBrowser['document'];

	const runDue = (end: number, late: boolean): void => {
		for (;;) {
			timers.sort((a, b) => a.at - b.at);
			const [next] = timers;
			if (!next || next.at > end) break;
			timers.shift();
			if (!late) now = Math.max(now, next.at);
			next.run();
		}
	};
	return {
		sources,
		source: () => sources.at(-1) as FakeSource,
		openCount: () => sources.filter(({ closed }) => !closed).length,
		timerCount: () => timers.length,
		window,
		document,
		isOnline: () => online,
		now: () => now,
		random: () => 1,
		after(ms, run) {
			const timer = { at: now + ms, run };
			timers.push(timer);
			return () => void (timers = timers.filter((other) => other !== timer));
		},
		openSource(url) {
			const target = new EventTarget();
			const source: FakeSource = {
				url,
				closed: false,
				addEventListener: (type, listener) => target.addEventListener(type, listener),
				close: () => void (source.closed = true),
				open: () => target.dispatchEvent(new Event('open')),
				fail: () => target.dispatchEvent(new Event('error')),
				send: (name, payload, lastEventId) =>
					source.sendText(name, JSON.stringify(payload), lastEventId),
				sendText: (name, data, lastEventId = '') =>
					target.dispatchEvent(new MessageEvent(name, { data, lastEventId })),
			};
			sources.push(source);
			return source;
		},
		pass(ms) {
			const end = now + ms;
			runDue(end, false);
			now = end;
		},
		sleep(ms) {
			now += ms;
			runDue(now, true);
		},
		hide() {
			hidden = true;
			document.dispatchEvent(new Event('visibilitychange'));
		},
		show() {
			hidden = false;
			document.dispatchEvent(new Event('visibilitychange'));
		},
		setOnline(value) {
			online = value;
			window.dispatchEvent(new Event(value ? 'online' : 'offline'));
		},
		tell: (type) => void window.dispatchEvent(new Event(type)),
	};
}
