/**
 * Redis or Valkey as the channel: one stream, bounded, appended to by one process and read by all, each at its own place. Two
 * connections, both made again after any failure. The library is loaded only where a relay is configured.
 */
import type { RedisClientType } from '@redis/client';
import { setTimeout as pause } from 'node:timers/promises';
import { withDeadline } from '../db/deadline';
import type { Channel, ChannelState } from './channel';
import { toRelayTrouble, type RelayTrouble } from './trouble';

/** Kept in Redis at most, about, in messages and in bytes: a process that was away for longer reads from Postgres. */
const KEPT_MESSAGES = 1_000;
const KEPT_BYTES = 32 * 2 ** 20;
/** On its way to Redis at most; beyond that messages are dropped. */
const UNDER_WAY_BYTES = 32 * 2 ** 20;
/** Redis holds a question for new messages so long. */
const BLOCK_MS = 1_000;
const DEADLINE_MS = 3_000;
const READ_AT_ONCE = 64;
const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 2_000;
const START = '0-0';

type Client = RedisClientType;

/** Connects at `start`. @param key of the stream */
export function createRedisChannel({ url, key }: { url: string; key: string }): Channel {
	let reading: ChannelState = { up: false, trouble: null };
	/** trouble that only writing meets: a full Redis, or one that takes no writes */
	let unwritten: RelayTrouble | null = null;
	let stopped = false;
	const stopping = new AbortController();
	let onState = () => {};
	/** sizes of the messages that Redis keeps of ours, the newest last */
	let sizes: number[] = [];
	let keptBytes = 0;
	let underWay = 0;
	let writer: Client | null = null;
	const open = new Set<Client>();

	function become(up: boolean, trouble: RelayTrouble | null) {
		if (stopped || (reading.up === up && reading.trouble === trouble)) return;
		reading = { up, trouble };
		onState();
	}

	function becomeUnwritten(trouble: RelayTrouble | null) {
		if (stopped || unwritten === trouble) return;
		unwritten = trouble;
		if (reading.up) onState();
	}

	async function connect(): Promise<Client> {
		const { createClient } = await import('@redis/client');
		const client = createClient({
			...{ url, name: 'nowboard', disableOfflineQueue: true },
			RESP: 2,
			maintNotifications: 'disabled',
			// a lost connection is made again here, with a new client
			socket: { connectTimeout: DEADLINE_MS, reconnectStrategy: false },
		}) as unknown as Client;
		// said by the command that fails
		client.on('error', () => {});
		open.add(client);
		try {
			await withDeadline(client.connect(), DEADLINE_MS, 'connecting to the relay');
			return client;
		} catch (error) {
			drop(client);
			throw error;
		}
	}

	function drop(client: Client) {
		open.delete(client);
		try {
			client.destroy();
		} catch {
			// it was closed already
		}
	}

	/** Keeps one connection in use until `stop`; `use` rejects when it cannot be used any more. */
	async function keep(use: (client: Client) => Promise<void>, fails: (error: unknown) => void) {
		for (let failures = 0; !stopped;) {
			let client: Client | null = null;
			const since = performance.now();
			try {
				client = await connect();
				if (!stopped) await use(client);
			} catch (error) {
				if (!stopped) fails(error);
			}
			if (client) drop(client);
			failures = performance.now() - since > 10 * DEADLINE_MS ? 0 : failures + 1;
			const ms = Math.min(MIN_RETRY_MS * 2 ** failures, MAX_RETRY_MS) * (0.75 + Math.random() / 2);
			await pause(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
		}
	}

	async function newest(client: Client): Promise<string> {
		const found = await ask(client.xRevRange(key, '+', '-', { COUNT: 1 }));
		return found?.[0]?.id ?? START;
	}

	const ask = <T>(reply: Promise<T>) => withDeadline(reply, DEADLINE_MS, 'the relay');

	/** where reading goes on; null: at what comes from now on */
	let place: string | null = null;

	async function read(client: Client, onMessage: (text: string) => void) {
		for (let look = true; !stopped;) {
			// a stream that was emptied, or restored, counts from an earlier id
			if (look) {
				const end = await newest(client);
				if (place === null) place = end;
				else if (isBefore(end, place)) place = START;
			}
			become(true, null);
			const reply = await ask(
				client.xRead({ key, id: place ?? START }, { BLOCK: BLOCK_MS, COUNT: READ_AT_ONCE }),
			);
			const messages = (reply as { messages: StreamMessage[] }[] | null)?.[0]?.messages ?? [];
			for (const { id, message } of messages) {
				place = id;
				onMessage(message.text ?? '');
			}
			look = messages.length === 0;
		}
	}

	async function write(client: Client) {
		writer = client;
		try {
			await new Promise((_, reject) => {
				client.once('error', reject);
				client.once('end', () => reject(new Error('the connection was closed')));
				failed = reject;
			});
		} finally {
			writer = null;
			underWay = 0;
		}
	}
	let failed: (error: unknown) => void = () => {};

	/** how many of the newest messages fit the bound */
	function toLength(bytes: number): number {
		sizes.push(bytes);
		keptBytes += bytes;
		while (sizes.length > 1 && (keptBytes > KEPT_BYTES || sizes.length > KEPT_MESSAGES))
			keptBytes -= sizes.shift() ?? 0;
		return keptBytes < KEPT_BYTES / 2 ? KEPT_MESSAGES : sizes.length;
	}

	let running: Promise<unknown> = Promise.resolve();
	const fails = (error: unknown) => become(false, toRelayTrouble(error));

	return {
		start(onMessage, tell) {
			onState = tell;
			running = Promise.all([
				keep((client) => read(client, onMessage), fails),
				keep(write, (error) => {
					sizes = [];
					keptBytes = 0;
					becomeUnwritten(toRelayTrouble(error));
				}),
			]);
		},
		append(text) {
			const client = writer;
			const bytes = Buffer.byteLength(text);
			if (!client?.isReady || underWay + bytes > UNDER_WAY_BYTES) return false;
			underWay += bytes;
			const threshold = toLength(bytes);
			ask(
				client.xAdd(
					key,
					'*',
					{ text },
					{
						TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold },
					},
				),
			).then(
				() => {
					if (client === writer) underWay -= bytes;
					becomeUnwritten(null);
				},
				(error: unknown) => {
					if (client === writer) failed(error);
				},
			);
			return true;
		},
		state: () => ({ up: reading.up, trouble: reading.trouble ?? unwritten }),
		async stop() {
			stopped = true;
			stopping.abort();
			for (const client of open) drop(client);
			await withDeadline(running, DEADLINE_MS, 'closing the relay').catch(() => {});
		},
	};
}

type StreamMessage = { id: string; message: Record<string, string> };

/** Ids are two numbers, and their texts may differ in length. */
function isBefore(a: string, b: string): boolean {
	const [[aMs, aSeq], [bMs, bSeq]] = [a, b].map((id) => id.split('-').map(Number)) as [
		[number, number],
		[number, number],
	];
	return aMs < bMs || (aMs === bMs && aSeq < bSeq);
}
