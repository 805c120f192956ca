/**
 * Throws at every call of the reading path in turn: each query, before it is sent and after it was answered, each row read,
 * counted, shown, and each frame encoded and published. Whatever throws, nothing is lost and nothing comes twice.
 * Set TEST_CASES to throw at more of the calls than a short run does.
 */
import { beforeEach, expect, test, vi } from 'vitest';
import type { Activity, DashboardState } from '../../src/lib/protocol';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import type * as State from '../../src/lib/server/live/state';
import type * as Store from '../../src/lib/server/live/window-store';
import { advance, type Cursor } from '../../src/lib/server/reader/cursor';
import { toActivityEvent } from '../../src/lib/server/reader/row';
import { readUnseen } from '../../src/lib/server/reader/rows';
import { createBus, type Bus } from '../../src/lib/server/stream/ring';
import { follow, type Follower } from '../setup/follow';
import { startTestInstance, useDatabase } from '../setup/instances';

const CASES = Number(process.env.TEST_CASES ?? 24);

const calls = vi.hoisted(() => {
	let seen: string[] = [];
	let throwsAt: { name: string; nth: number } | number | null = null;
	const byName = new Map<string, number>();

	function reach(name: string) {
		seen.push(name);
		const nth = (byName.get(name) ?? 0) + 1;
		byName.set(name, nth);
		const hit =
			typeof throwsAt === 'number'
				? seen.length === throwsAt
				: throwsAt?.name === name && throwsAt.nth === nth;
		if (hit) throw new Error(`thrown at ${name}, call ${seen.length}`);
	}

	/** the same functions, each a call before it runs; one that reads, another after it */
	function wrap<M extends object>(module: M, names: readonly string[]): M {
		const wrapped = names.map((name) => {
			const plain = (module as Record<string, (...args: unknown[]) => unknown>)[name];
			return [
				name,
				(...args: unknown[]) => {
					reach(name);
					const result = plain?.(...args);
					if (!(result instanceof Promise)) return result;
					return result.then((value: unknown) => (reach(`${name}, answered`), value));
				},
			];
		});
		return { ...module, ...Object.fromEntries(wrapped) };
	}

	return {
		reach,
		wrap,
		arm(at: typeof throwsAt) {
			seen = [];
			byName.clear();
			throwsAt = at;
		},
		seen: () => seen,
	};
});

vi.mock('../../src/lib/server/reader/row', async (original) =>
	calls.wrap(await original<object>(), ['toRow', 'toActivityEvent']),
);
vi.mock('../../src/lib/server/reader/rows', async (original) =>
	calls.wrap(await original<object>(), ['readUnseen', 'readTransaction', 'readMissed', 'toHead']),
);
vi.mock('../../src/lib/server/reader/epoch', async (original) =>
	calls.wrap(await original<object>(), ['settleEpoch', 'repairForeignTransactions']),
);
vi.mock('../../src/lib/server/live/read-start', async (original) =>
	calls.wrap(await original<object>(), ['readStart']),
);
vi.mock('../../src/lib/server/live/window-row', async (original) =>
	calls.wrap(await original<object>(), ['toWindowRow']),
);
vi.mock('../../src/lib/server/live/tick', async (original) =>
	calls.wrap(await original<object>(), ['readSeries', 'readPrevious', 'recordTick']),
);
vi.mock('../../src/lib/server/live/window-store', async (original) => {
	const module = await original<typeof Store>();
	return {
		...module,
		createWindowStore: (...args: Parameters<typeof module.createWindowStore>) =>
			calls.wrap(module.createWindowStore(...args), ['add', 'advance']),
	};
});
vi.mock('../../src/lib/server/live/state', async (original) => {
	const module = await original<typeof State>();
	return {
		...module,
		createState: (...args: Parameters<typeof module.createState>) =>
			calls.wrap(module.createState(...args), ['move', 'settle', 'setTick']),
	};
});
vi.mock('../../src/lib/server/stream/frames', async (original) =>
	calls.wrap(await original<object>(), ['toActivity', 'toActivityOf', 'toReset', 'toMetrics']),
);

/** A ring whose frames of the reading are calls, before they are in it and after. */
function createThrowingBus(): Bus {
	const bus = createBus();
	return {
		...bus,
		publish(frame) {
			const isRead = frame.event !== 'ping';
			if (isRead) calls.reach('publish');
			bus.publish(frame);
			if (isRead) calls.reach('published');
		},
	};
}

/** What a client was told of, since its last reset: that many events, each once. */
function account({ events }: Follower) {
	const last = events.findLastIndex(({ name }) => name === 'reset');
	const reset = events[last]?.data as DashboardState;
	const frames = events
		.slice(last + 1)
		.filter(({ name }) => name === 'activity')
		.map(({ data }) => data as Activity);
	const ids = [...reset.events, ...frames.flatMap((frame) => frame.events)].map(({ id }) => id);
	const came = frames.reduce((sum, frame) => sum + frame.events.length + frame.omitted, 0);
	return {
		told: reset.totals.eventsCount + came,
		counted: (frames.findLast(({ totals }) => totals)?.totals ?? reset.totals).eventsCount,
		twice: ids.length - new Set(ids).size,
	};
}

async function hasAll(sql: Sql, client: Follower, where: string) {
	const [row] = await sql<{ all: number }[]>`select count(*)::int as all from nowboard.events`;
	const all = row?.all ?? 0;
	await expect
		.poll(() => account(client), { message: where, timeout: 20_000, interval: 5 })
		.toEqual({ told: all, counted: all, twice: 0 });
}

/** Some rows, a transaction that is held back by another, a new beginning. */
async function write(sql: Sql, held: Sql) {
	await held`begin`;
	await held`insert into nowboard.events (name) values ('held')`;
	await sql`insert into nowboard.events (name, session_id) values ('a', 's'), ('b', 's')`;
	await held`commit`;
	await sql`insert into nowboard.events (name, properties) values ('page_view', '{"path": "/x"}')`;
}

beforeEach(() => calls.arm(null));

test(
	'whichever call throws, nothing is lost and nothing comes twice',
	async () => {
		const { url, sql } = await useDatabase();
		const held = connect(url, { max: 1 });
		const instance = await startTestInstance(url, {
			bus: createThrowingBus(),
			frameIntervalMs: 1,
		});
		const client = follow(instance);
		await client.until(() => client.resets() === 1);

		/** @returns the calls that were made @param at the call that throws */
		async function play(at: number | null, renews: boolean): Promise<number> {
			calls.arm(at);
			await write(sql, held);
			if (renews) await sql`select nowboard.nowboard_renew_epoch()`;
			const { length } = client.events;
			await sql`insert into nowboard.events (name) values ('last')`;
			await client.until(({ events }) => events.length > length);
			await hasAll(sql, client, `call ${at}: ${calls.seen()[(at ?? 0) - 1]}`);
			return calls.seen().length;
		}

		for (const renews of [false, true]) {
			const most = await play(null, renews);
			const step = Math.max(1, Math.ceil(most / (CASES / 2)));
			for (let at = 1; at <= most; at += step) await play(at, renews);
		}
		expect(instance.missing()).toEqual([]);
		await held.end();
	},
	60_000 + CASES * 5_000,
);

test.each([
	{ name: 'readTransaction', nth: 1 },
	{ name: 'readTransaction, answered', nth: 1 },
	{ name: 'add', nth: 1_000 },
	{ name: 'add', nth: 2_500 },
	{ name: 'published', nth: 1 },
	{ name: 'readUnseen', nth: 3 },
	{ name: 'readUnseen, answered', nth: 3 },
	{ name: 'toRow', nth: 2_500 },
])('inside a transaction that is read in pieces: $name, call $nth', async (at) => {
	const { url, sql } = await useDatabase();
	const instance = await startTestInstance(url, { bus: createThrowingBus() });
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	calls.arm(at);
	await sql`insert into nowboard.events (name) select 'piece' from generate_series(1, 4500)`;
	await sql`insert into nowboard.events (name) values ('after')`;
	await hasAll(sql, client, JSON.stringify(at));
});

test.each(['readMissed', 'readMissed, answered', 'toActivityOf', 'toActivityEvent'])(
	'while a client that comes back is read for: %s',
	async (name) => {
		const { url, sql } = await useDatabase();
		const first = follow(await startTestInstance(url));
		await first.until(() => first.resets() === 1);
		await sql`insert into nowboard.events (name) values ('seen')`;
		await first.until(({ ids }) => ids.length === 1);
		const cursor = first.cursor();
		await sql`insert into nowboard.events (name) select 'missed' from generate_series(1, 3)`;
		const instance = await startTestInstance(url);
		calls.arm({ name, nth: 1 });
		const back = follow(instance, cursor);
		await back.until(({ ids }) => ids.length >= 3);
		await sql`insert into nowboard.events (name) values ('live')`;
		await back.until(({ ids }) => ids.includes(5));
		expect([back.ids, back.resets()]).toEqual([[2, 3, 4, 5], 0]);
	},
);

test('(control) a cursor that moves before its rows are published loses some of them', async () => {
	const { url, sql } = await useDatabase();
	const held = connect(url, { max: 1 });
	const [row] = await sql<
		{ epoch: string }[]
	>`select value as epoch from nowboard.meta where key = 'epoch'`;
	let cursor: Cursor = { epoch: row?.epoch ?? '', last: 0n, holes: [] };
	const shown = new Set<number>();

	async function drain() {
		const { head, rows } = await readUnseen(sql, cursor);
		cursor = advance(cursor, head.snapshot, rows.at(-1)?.tx ?? null, true);
		for (const row of rows) shown.add(toActivityEvent(row).id);
	}
	for (let at = 1; at <= 12; at++) {
		calls.arm(at);
		await write(sql, held);
		for (let attempt = 0; attempt < 3; attempt++) await drain().catch(() => {});
	}
	await held.end();
	const [all] = await sql<{ count: number }[]>`select count(*)::int from nowboard.events`;
	expect(shown.size).toBeLessThan(all?.count ?? 0);
});
