/**
 * The load generator's own process: holds connections and counts (tally.ts), as load.ts tells it. It sends
 * no events: senders must not wait for receivers.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { answer } from './remote';
import { createDecoder } from './decode';
import { createTally, type Client, type Report } from './tally';

export type Opened = { opened: number; failed: number; ms: number };
export type Caught = {
	/** until each had what was asked for, ms since the drop */
	p50: number;
	p99: number;
	max: number;
	late: number;
	failed: number;
	attempts: number;
};
/** A client has joined when its first state came, or already when it was answered. */
export type Joins = 'state' | 'head';
export type Commands = {
	/** @param cookies of the first client, the second, …; none: they go without @param queries added to each one's address */
	open: {
		in: {
			url: string;
			count: number;
			atOnce: number;
			joins: Joins;
			cookies?: readonly string[];
			queries?: readonly string[];
			/** how many connections come from one address; default: as many as it has ports for */
			perAddress?: number;
		};
		out: Opened;
	};
	begin: { in: null; out: null };
	report: { in: { from: number; to: number }; out: Report };
	/** Cuts all connections; each comes back with its cursor after a delay of its own, until it has event `upTo`. */
	storm: {
		in: { url: string; minMs: number; spreadMs: number; upTo: number; withinMs: number };
		out: Caught;
	};
	/** Resolves to how long it took until all clients had event `upTo`, ms; null: not in time. */
	until: { in: { upTo: number; withinMs: number }; out: number | null };
	close: { in: null; out: null };
};

/** Then the next address of loopback is taken: the search for a free port takes longer the more of an address are in use. */
const PER_ADDRESS = 2_000;
const FIRST_EVENT_MS = 60_000;

type Connection = {
	client: Client;
	socket: Socket;
	cookie: string | undefined;
	status: number;
	ended: boolean;
};

const tally = createTally();
const connections: Connection[] = [];
let everOpened = 0;

/** Resolves when the client has joined, or the connection has failed. */
function dial(
	url: URL,
	client: Client,
	joins: Joins,
	cookie?: string,
	perAddress = PER_ADDRESS,
): Promise<Connection> {
	return new Promise((resolve) => {
		const localAddress = `127.0.0.${2 + (Math.floor(everOpened++ / perAddress) % 200)}`;
		const socket = connect({ host: url.hostname, port: Number(url.port), localAddress });
		const connection: Connection = { client, socket, cookie, status: 0, ended: false };
		const timer = setTimeout(() => socket.destroy(), FIRST_EVENT_MS);
		const done = () => {
			clearTimeout(timer);
			resolve(connection);
		};
		const decoder = createDecoder(
			(status) => {
				connection.status = status;
				if (status !== 200) socket.destroy();
				else if (joins === 'head') done();
			},
			(bytes) => {
				tally.feed(client, bytes);
				if (client.joined) done();
			},
		);
		socket.setNoDelay(true);
		socket.on('connect', () =>
			socket.write(
				`GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\naccept: text/event-stream\r\n${cookie === undefined ? '' : `cookie: ${cookie}\r\n`}\r\n`,
			),
		);
		socket.on('data', (bytes: Buffer) => decoder.feed(bytes));
		socket.on('error', () => {});
		socket.on('close', () => {
			connection.ended = true;
			tally.cut(client);
			done();
		});
	});
}

answer<Commands>({
	async open({ url, count, atOnce, joins, cookies = [], queries = [], perAddress }) {
		const started = performance.now();
		let left = count;
		let failed = 0;
		const work = async () => {
			while (left > 0) {
				const number = count - left--;
				const address = new URL(url);
				for (const one of new URLSearchParams(queries[number])) address.searchParams.append(...one);
				const client = tally.add();
				const connection = await dial(address, client, joins, cookies[number], perAddress);
				if (connection.ended) {
					failed++;
					tally.remove(client);
				} else connections.push(connection);
			}
		};
		await Promise.all(Array.from({ length: atOnce }, work));
		return { opened: count - failed, failed, ms: performance.now() - started };
	},
	async begin() {
		tally.begin();
		return null;
	},
	report: async ({ from, to }) => tally.report(from, to),
	async storm({ url, minMs, spreadMs, upTo, withinMs }) {
		const dropped = connections.splice(0);
		const started = performance.now();
		for (const { socket } of dropped) socket.destroy();
		const took: number[] = [];
		let failed = 0;
		let attempts = 0;
		const comeBack = async ({ client, cookie }: Connection) => {
			for (;;) {
				await pause(minMs + Math.random() * spreadMs);
				if (performance.now() - started > withinMs) return;
				attempts++;
				const back = new URL(url);
				if (client.cursor !== null) back.searchParams.set('cursor', client.cursor);
				const connection = await dial(back, client, 'state', cookie);
				if (!connection.ended) {
					connections.push(connection);
					return;
				}
				failed++;
			}
		};
		const waiting = new Set(dropped.map(({ client }) => client));
		const watching = (async () => {
			while (waiting.size > 0 && performance.now() - started < withinMs) {
				await pause(10);
				for (const client of waiting)
					if (client.newest >= upTo) {
						waiting.delete(client);
						took.push(performance.now() - started);
					}
			}
		})();
		await Promise.all([...dropped.map(comeBack), watching]);
		took.sort((a, b) => a - b);
		const at = (q: number) => took[Math.min(took.length - 1, Math.floor(q * took.length))] ?? NaN;
		return { p50: at(0.5), p99: at(0.99), max: at(1), late: waiting.size, failed, attempts };
	},
	async until({ upTo, withinMs }) {
		const started = performance.now();
		while (performance.now() - started < withinMs) {
			let behind = false;
			for (const { newest } of tally.clients()) if (newest < upTo) behind = true;
			if (!behind) return performance.now() - started;
			await pause(5);
		}
		return null;
	},
	async close() {
		for (const { socket, client } of connections.splice(0)) {
			// leaves no port behind that waits for a minute
			socket.resetAndDestroy();
			tally.remove(client);
		}
		return null;
	},
});
