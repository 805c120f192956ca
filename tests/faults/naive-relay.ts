/** Followers of the relay as others would write them, beside ours: the suite must catch them losing rows, or showing them twice. */
import { createClient } from '@redis/client';
import { setTimeout as pause } from 'node:timers/promises';
import { withDeadline } from '../../src/lib/server/db/deadline';
import { decodeMessage } from '../../src/lib/server/relay/message';
import { toKey } from '../../src/lib/server/relay/redis-relay';
import type { TestRedis } from '../setup/redis';
import type { NaiveReader } from './naive';

/** Whether a message is shown, by its id in the stream. */
type Rule = () => (id: string) => boolean;

/** Everything that is read, from the beginning of the stream after a lost connection. */
const unfenced: Rule = () => () => true;

/** What stands further on in the stream than what was shown last. */
const ordered: Rule = () => {
	let last = 0;
	return (id) => {
		const [ms = 0, turn = 0] = id.split('-').map(Number);
		const at = ms * 1_000 + turn;
		const isNew = at > last;
		last = Math.max(last, at);
		return isNew;
	};
};

export const NAIVE_FOLLOWERS = {
	'a relay without fencing': unfenced,
	'the order of a relay': ordered,
};

export function startNaiveFollowers(redis: TestRedis, databaseUrl: string): Promise<NaiveReader[]> {
	const key = toKey(databaseUrl, 'nowboard');
	return Promise.all(
		Object.entries(NAIVE_FOLLOWERS).map(([name, rule]) => start(name, rule(), redis.port, key)),
	);
}

async function start(
	name: string,
	isShown: (id: string) => boolean,
	port: number,
	key: string,
): Promise<NaiveReader> {
	const ids = new Set<number>();
	let twice = 0;
	let going = true;

	function show(text: string) {
		for (const { id } of decodeMessage(text)?.delta.rows ?? []) {
			if (ids.has(Number(id))) twice++;
			ids.add(Number(id));
		}
	}

	async function follow() {
		const client = createClient({
			...{ url: `redis://127.0.0.1:${port}`, RESP: 2 as const, disableOfflineQueue: true },
			socket: { reconnectStrategy: false },
		});
		client.on('error', () => {});
		let place = '0-0';
		try {
			await withDeadline(client.connect(), 3_000, 'a naive follower');
			while (going) {
				const reply = await withDeadline(
					client.xRead({ key, id: place }, { BLOCK: 200, COUNT: 100 }),
					3_000,
					'a naive follower',
				);
				const found = reply as { messages: { id: string; message: { text?: string } }[] }[] | null;
				for (const { id, message } of found?.[0]?.messages ?? []) {
					place = id;
					if (isShown(id)) show(message.text ?? '');
				}
			}
		} finally {
			client.destroy();
		}
	}
	const done = (async () => {
		while (going) await follow().catch(() => pause(100));
	})();
	return {
		...{ name, ids },
		twice: () => twice,
		async stop() {
			going = false;
			await done;
		},
	};
}
