/**
 * Counts what clients received: each event has a number (`"n":`, without gaps) and its send time (`"t":`,
 * µs of the monotonic clock, shared by all processes). A frame equal byte for byte to another client's is
 * not parsed again, so that the generator is not the bottleneck.
 */

import { numberAt } from '../../tests/faults/account';

export type Delays = { p50: number; p90: number; p99: number; max: number };
export type Report = {
	clients: number;
	/** of events `from` to `to`: those that came, never came, came again; over all clients */
	delivered: number;
	missing: number;
	twice: number;
	/** counted by the server instead of carried */
	omitted: number;
	resets: number;
	/** frames that carried events, and all frames */
	eventFrames: number;
	frames: number;
	bytes: number;
	/** from sent to received, of each delivered event, ms */
	delays: Delays | null;
};

export type Client = {
	rest: Buffer;
	seen: Uint32Array;
	/** id of the last frame that had one */
	cursor: string | null;
	/** highest number that came */
	newest: number;
	/** a whole state or an event came since it connected */
	joined: boolean;
};

type Read = {
	bytes: Buffer;
	numbers: number[];
	sent: number[];
	omitted: number;
	id: string | null;
};

const END = Buffer.from('\n\n');
const NUMBER = Buffer.from('"n":');
const SENT = Buffer.from('"t":');
const OMITTED = Buffer.from('"omitted":');
const ID = Buffer.from('id: ');
const RESET = Buffer.from('event: reset');
const LF = 10;
const BUCKET_MS = 0.25;
const BUCKETS = 120_000;
/** Frames kept for comparison; late clients are read one by one. */
const KEPT = 4_096;

/** µs of a clock that all processes of the machine share */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);

export function createTally(clock: () => number = nowUs) {
	const clients = new Set<Client>();
	const known = new Map<number, Read>();
	const histogram = new Uint32Array(BUCKETS);
	let counts = zero();

	function read(frame: Buffer): Read {
		const numbers: number[] = [];
		const sent: number[] = [];
		let at = frame.indexOf(NUMBER);
		let last = 0;
		while (at !== -1) {
			last = at + NUMBER.length;
			numbers.push(numberAt(frame, last));
			const t = frame.indexOf(SENT, last);
			sent.push(t === -1 ? Number.NaN : numberAt(frame, t + SENT.length));
			at = frame.indexOf(NUMBER, last);
		}
		const omitted = frame.indexOf(OMITTED, last);
		return {
			bytes: Buffer.from(frame),
			numbers,
			sent,
			omitted: omitted === -1 ? 0 : numberAt(frame, omitted + OMITTED.length),
			id: idOf(frame),
		};
	}

	function recall(frame: Buffer, first: number): Read {
		const number = numberAt(frame, first + NUMBER.length);
		const same = known.get(number);
		if (same?.bytes.equals(frame)) return same;
		const fresh = read(frame);
		if (!same) {
			known.set(number, fresh);
			if (known.size > KEPT) known.delete(known.keys().next().value as number);
		}
		return fresh;
	}

	function onFrame(client: Client, frame: Buffer, now: number) {
		counts.frames++;
		counts.bytes += frame.length + END.length;
		if (frame.subarray(0, RESET.length).equals(RESET)) {
			counts.resets++;
			client.joined = true;
			const { numbers, id } = read(frame);
			client.cursor = id;
			client.newest = Math.max(client.newest, ...numbers);
			return;
		}
		const first = frame.indexOf(NUMBER);
		if (first === -1) {
			// a frame may count events without carrying any
			const id = idOf(frame);
			if (id === null) return;
			client.cursor = id;
			counts.omitted += read(frame).omitted;
			return;
		}
		counts.eventFrames++;
		client.joined = true;
		const { numbers, sent, omitted, id } = recall(frame, first);
		if (id !== null) client.cursor = id;
		counts.omitted += omitted;
		for (let i = 0; i < numbers.length; i++) {
			const number = numbers[i] as number;
			if (!mark(client, number)) {
				counts.twice++;
				continue;
			}
			if (number > client.newest) client.newest = number;
			const ms = (now - (sent[i] as number)) / 1_000;
			const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(ms / BUCKET_MS)));
			histogram[bucket] = (histogram[bucket] as number) + 1;
		}
	}

	return {
		add(): Client {
			const client: Client = {
				rest: Buffer.alloc(0),
				seen: new Uint32Array(32),
				cursor: null,
				newest: -1,
				joined: false,
			};
			clients.add(client);
			return client;
		},
		remove: (client: Client) => void clients.delete(client),
		feed(client: Client, bytes: Buffer) {
			const now = clock();
			const all = client.rest.length === 0 ? bytes : Buffer.concat([client.rest, bytes]);
			let from = 0;
			for (let end = all.indexOf(END); end !== -1; end = all.indexOf(END, from)) {
				onFrame(client, all.subarray(from, end), now);
				from = end + END.length;
			}
			client.rest = from === all.length ? EMPTY : Buffer.from(all.subarray(from));
		},
		/** The connection ended: what is not complete counts for nothing. */
		cut(client: Client) {
			client.rest = EMPTY;
			client.joined = false;
		},
		/** Counts from here; which events a client has had stays known. */
		begin() {
			counts = zero();
			histogram.fill(0);
		},
		/** @param from first number that all clients were due @param to one after the last */
		report(from: number, to: number): Report {
			let delivered = 0;
			for (const { seen } of clients)
				for (let number = from; number < to; number++) delivered += has(seen, number) ? 1 : 0;
			const total = histogram.reduce((sum, count) => sum + count, 0);
			const delays =
				total === 0
					? null
					: {
							p50: quantileOf(histogram, total, 0.5),
							p90: quantileOf(histogram, total, 0.9),
							p99: quantileOf(histogram, total, 0.99),
							max: quantileOf(histogram, total, 1),
						};
			const missing = clients.size * Math.max(0, to - from) - delivered - counts.omitted;
			return { ...counts, clients: clients.size, delivered, missing, delays };
		},
		clients: (): ReadonlySet<Client> => clients,
	};
}
export type Tally = ReturnType<typeof createTally>;

const EMPTY = Buffer.alloc(0);

function zero() {
	return { twice: 0, omitted: 0, resets: 0, eventFrames: 0, frames: 0, bytes: 0 };
}

/** @returns false when it was there */
function mark(client: Client, number: number): boolean {
	const word = number >>> 5;
	if (word >= client.seen.length) {
		const grown = new Uint32Array(Math.max(word + 1, client.seen.length * 2));
		grown.set(client.seen);
		client.seen = grown;
	}
	const bit = 1 << (number & 31);
	const before = client.seen[word] as number;
	client.seen[word] = before | bit;
	return (before & bit) === 0;
}

function has(seen: Uint32Array, number: number): boolean {
	return (((seen[number >>> 5] ?? 0) >>> (number & 31)) & 1) === 1;
}

/** the upper end of the bucket in which the share `q` is reached, ms */
function quantileOf(histogram: Uint32Array, total: number, q: number): number {
	const rank = Math.max(1, Math.ceil(q * total));
	let sum = 0;
	for (let i = 0; i < histogram.length; i++) {
		sum += histogram[i] as number;
		if (sum >= rank) return (i + 1) * BUCKET_MS;
	}
	return histogram.length * BUCKET_MS;
}

function idOf(frame: Buffer): string | null {
	let at = frame.subarray(0, ID.length).equals(ID) ? 0 : frame.indexOf('\nid: ');
	if (at === -1) return null;
	if (frame[at] === LF) at++;
	const end = frame.indexOf(LF, at);
	return frame.toString('latin1', at + ID.length, end === -1 ? frame.length : end);
}
