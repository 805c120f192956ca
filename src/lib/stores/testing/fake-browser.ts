/** A browser for tests in which time is the subject: its clock moves when told to, its sources say what they are told. */
import { LOOKED_AT, type Environment, type Source } from '../environment';
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
	/** The user sets the clock, forward or back; timers go by time that has passed. */
	setClock: (byMs: number) => void;
	/** ms since the beginning, whatever the clock says */
	elapsed: () => number;
	hide: () => void;
	show: () => void;
	setOnline: (online: boolean) => void;
	/** Another tab says that it is looked at. */
	lookElsewhere: () => void;
	/** how often this one has said so */
	announced: () => number;
	tell: (type: 'pagehide' | 'pageshow' | 'beforeunload') => void;
};

export function createFakeBrowser(): FakeBrowser {
	const sources: FakeSource[] = [];
	const timers: { at: number; run: () => void }[] = [];
	let elapsed = 0;
	let clock = START;
	let open = 0;
	let announced = 0;
	let hidden = false;
	let online = true;
	const window = new EventTarget();
	const document = Object.defineProperty(new EventTarget(), 'hidden', {
		get: () => hidden,
	}) as FakeBrowser['document'];

	const runDue = (end: number, late: boolean): void => {
		for (;;) {
			let next = timers[0];
			for (const timer of timers) if (next && timer.at < next.at) next = timer;
			if (!next || next.at > end) break;
			timers.splice(timers.indexOf(next), 1);
			if (!late) elapsed = Math.max(elapsed, next.at);
			next.run();
		}
	};
	return {
		sources,
		source: () => sources.at(-1) as FakeSource,
		openCount: () => open,
		timerCount: () => timers.length,
		window,
		document,
		isOnline: () => online,
		announce: () => void announced++,
		announced: () => announced,
		lookElsewhere: () =>
			void window.dispatchEvent(Object.assign(new Event('storage'), { key: LOOKED_AT })),
		now: () => clock + elapsed,
		random: () => 1,
		after(ms, run) {
			const timer = { at: elapsed + Math.max(ms, 0), run };
			timers.push(timer);
			return () => {
				const index = timers.indexOf(timer);
				if (index >= 0) timers.splice(index, 1);
			};
		},
		openSource(url) {
			const target = new EventTarget();
			const source: FakeSource = {
				url,
				closed: false,
				addEventListener: (type, listener) => target.addEventListener(type, listener),
				close() {
					if (!source.closed) open--;
					source.closed = true;
				},
				open: () => target.dispatchEvent(new Event('open')),
				fail: () => target.dispatchEvent(new Event('error')),
				send: (name, payload, lastEventId) =>
					source.sendText(name, JSON.stringify(payload), lastEventId),
				sendText: (name, data, lastEventId = '') =>
					target.dispatchEvent(new MessageEvent(name, { data, lastEventId })),
			};
			sources.push(source);
			open++;
			return source;
		},
		pass(ms) {
			const end = elapsed + ms;
			runDue(end, false);
			elapsed = end;
		},
		sleep(ms) {
			elapsed += ms;
			runDue(elapsed, true);
		},
		setClock: (byMs) => void (clock += byMs),
		elapsed: () => elapsed,
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
