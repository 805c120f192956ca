/**
 * A client's account of its stream: from each reset on, which rows came, how many were only counted, and
 * between which cursors. It searches bytes instead of parsing JSON: hundreds of clients with a thousand
 * events a second leave no time. oracle.ts judges.
 */
import { createBitmap } from './bitmap';

/** What came between two cursors, the first of which is a reset's. */
export type Span = { start: string; end: string; delivered: number; omitted: number };
export type Step = { from: string | null; to: string };

export type Account = {
	/** Bytes of a body as they come. */
	feed(bytes: Buffer): void;
	/** The connection ended: an event that is not complete counts for nothing. */
	cut(): void;
	/** where the next connection resumes */
	cursor(): string | null;
	/** The row came since the last reset. */
	has(id: number): boolean;
	/** the account that is open, and those that a reset has closed */
	spans(): Span[];
	/** rows since the last reset, ascending, and every row ever shown */
	current(): Generator<number>;
	shown(): Generator<number>;
	/** rows that came although they had come since the last reset */
	twice(): number;
	resets(): Step[];
	/** frames that counted rows instead of carrying them */
	omissions(): Step[];
	/** milliseconds of the last `bye` since it was asked; null: none */
	takeBye(): number | null;
	/** complete events, whatever they were */
	events(): number;
};

const END = Buffer.from('\n\n');
const ROW = Buffer.from('{"id":');
const OMITTED = Buffer.from('"omitted":');
const ACTIVITY = Buffer.from('event: activity\n');
const RESET = Buffer.from('event: reset\n');
const BYE = Buffer.from('event: bye\n');
const ID = Buffer.from('\nid: ');

export function createAccount(): Account {
	const current = createBitmap();
	const shown = createBitmap();
	const closed: Span[] = [];
	const resets: Step[] = [];
	const omissions: Step[] = [];
	let open: Span | null = null;
	let rest: Buffer = Buffer.alloc(0);
	let cursor: string | null = null;
	let twice = 0;
	let events = 0;
	let bye: number | null = null;

	function onActivity(frame: Buffer) {
		const to = idOf(frame);
		if (!open) throw new Error(`activity ${to} before any reset`);
		let at = frame.indexOf(ROW);
		let last = 0;
		while (at !== -1) {
			last = at + ROW.length;
			const id = numberAt(frame, last);
			shown.add(id);
			if (current.add(id)) open.delivered++;
			else twice++;
			at = frame.indexOf(ROW, last);
		}
		const omitted = numberAt(frame, frame.indexOf(OMITTED, last) + OMITTED.length);
		if (omitted > 0) {
			open.omitted += omitted;
			omissions.push({ from: cursor, to });
		}
		open.end = cursor = to;
	}

	function onReset(frame: Buffer) {
		const to = idOf(frame);
		resets.push({ from: cursor, to });
		if (open) closed.push(open);
		open = { start: to, end: to, delivered: 0, omitted: 0 };
		current.clear();
		cursor = to;
	}

	function onFrame(frame: Buffer) {
		if (frame.subarray(0, 7).toString('latin1') !== 'event: ') return;
		events++;
		if (startsWith(frame, ACTIVITY)) onActivity(frame);
		else if (startsWith(frame, RESET)) onReset(frame);
		else if (startsWith(frame, BYE)) bye = numberAt(frame, frame.indexOf(':', BYE.length + 8) + 1);
	}

	return {
		feed(bytes) {
			const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
			let from = 0;
			for (let end = all.indexOf(END); end !== -1; end = all.indexOf(END, from)) {
				onFrame(all.subarray(from, end));
				from = end + END.length;
			}
			rest = from === all.length ? Buffer.alloc(0) : Buffer.from(all.subarray(from));
		},
		cut: () => void (rest = Buffer.alloc(0)),
		cursor: () => cursor,
		has: (id) => current.has(id),
		spans: () => (open ? [...closed, open] : closed),
		current: () => current.ids(),
		shown: () => shown.ids(),
		twice: () => twice,
		resets: () => resets,
		omissions: () => omissions,
		takeBye() {
			const taken = bye;
			bye = null;
			return taken;
		},
		events: () => events,
	};
}

function startsWith(frame: Buffer, beginning: Buffer): boolean {
	return frame.compare(beginning, 0, beginning.length, 0, beginning.length) === 0;
}

function idOf(frame: Buffer): string {
	const start = frame.indexOf(ID) + ID.length;
	return frame.toString('latin1', start, frame.indexOf(10, start));
}

/** The decimal number that begins at `start`; 0 when there is none. */
export function numberAt(frame: Buffer, start: number): number {
	let value = 0;
	for (let at = start; at < frame.length; at++) {
		const digit = (frame[at] as number) - 48;
		if (digit < 0 || digit > 9) break;
		value = value * 10 + digit;
	}
	return value;
}
