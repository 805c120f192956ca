/**
 * Transactions larger than one reading: while one is read, the events of others go on, the figures stay those from before it, and
 * every position on the way can be resumed from, here and elsewhere. Rows are inserted between the pieces, so nothing depends on speed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Activity, DashboardState } from '../../src/lib/protocol';
import type { Sql } from '../../src/lib/server/db/connect';
import type * as State from '../../src/lib/server/live/state';
import { parseCursor, toId, type Cursor } from '../../src/lib/server/reader/cursor';
import { LOOK_WITHIN_MS, MAX_ASIDE } from '../../src/lib/server/reader/drain';
import type * as Rows from '../../src/lib/server/reader/rows';
import { CHUNK } from '../../src/lib/server/reader/rows';
import { follow, type Follower } from '../setup/follow';
import { startTestInstance, useDatabase } from '../setup/instances';

const hooks = vi.hoisted(() => ({
	/** before each piece of a large transaction is read */
	beforePiece: async () => {},
	showsWhatIsCounted: false,
}));

vi.mock('../../src/lib/server/reader/rows', async (original) => {
	const module = await original<typeof Rows>();
	return {
		...module,
		async readTransaction(...args: Parameters<typeof module.readTransaction>) {
			await hooks.beforePiece();
			return module.readTransaction(...args);
		},
	};
});
vi.mock('../../src/lib/server/live/state', async (original) => {
	const module = await original<typeof State>();
	return {
		...module,
		createState(...args: Parameters<typeof module.createState>) {
			const state = module.createState(...args);
			return {
				...state,
				move: (id: string, events: never[], isCounting?: boolean) =>
					state.move(id, events, isCounting && !hooks.showsWhatIsCounted),
			};
		},
	};
});

beforeEach(() => Object.assign(hooks, { beforePiece: async () => {}, showsWhatIsCounted: false }));

const insert = (sql: Sql, name: string, rows = 1) =>
	sql`insert into nowboard.events (name) select ${name} from generate_series(1, ${rows}::int)`;

/** Calls `insert` before each piece, and makes other rows due to be looked for after it. */
function betweenPieces(insert: (piece: number) => Promise<unknown>) {
	let piece = 0;
	hooks.beforePiece = async () => {
		await insert(++piece);
		await pause(LOOK_WITHIN_MS + TIMER_MS);
	};
}

/** What a client was told of since its cursor, or since its last reset. */
function told(client: Follower) {
	const frames = client.of('activity');
	const ids = frames.flatMap(({ events }) => events.map(({ id }) => id));
	return { rows: ids.length + client.omitted(), twice: ids.length - new Set(ids).size };
}

const positionOf = (id: string) => {
	const parsed = parseCursor(id);
	if (!parsed.ok) throw new Error(parsed.reason);
	return parsed.cursor;
};

/** @returns how many rows a position has seen */
async function countSeen(sql: Sql, { last, holes }: Cursor): Promise<number> {
	const [row] = await sql<{ seen: number }[]>`
		select count(*)::int as seen from nowboard.events where tx <= ${last.toString()}::xid8
			and tx <> all(${`{${holes.join()}}`}::xid8[])`;
	return row?.seen ?? 0;
}

/** The frames of a client whose figures are not those of its position. */
async function wrongFigures(sql: Sql, client: Follower): Promise<number> {
	let wrong = 0;
	for (const { id, data } of client.events) {
		const { totals } = data as Partial<Activity & DashboardState>;
		if (id === undefined || !totals) continue;
		if (totals.eventsCount !== (await countSeen(sql, positionOf(id)))) wrong++;
	}
	return wrong;
}

/** Timers fire early. */
const TIMER_MS = 10;
const LARGE = 3 * CHUNK + 1;
/** Pieces of it but the first, which the look brings: more, when one had to be read again. */
const PIECES = 3;

async function countAll(sql: Sql): Promise<number> {
	const [row] = await sql<{ all: number }[]>`select count(*)::int as all from nowboard.events`;
	return row?.all ?? 0;
}

/** Nothing is inserted any more, and the client has everything. @returns how many rows there are */
async function settle(sql: Sql, client: Follower): Promise<number> {
	await client.until(() => told(client).rows >= LARGE + PIECES);
	hooks.beforePiece = async () => {};
	const all = await countAll(sql);
	await client.until(() => told(client).rows >= all);
	return all;
}

/** A large transaction, and one row before each of its pieces but the first. */
async function play() {
	const { url, sql } = await useDatabase();
	const instance = await startTestInstance(url);
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	await insert(sql, 'before');
	await client.until(() => told(client).rows === 1);
	betweenPieces((piece) => insert(sql, `beside ${piece}`));
	await insert(sql, 'large', LARGE);
	return { url, sql, instance, client, all: await settle(sql, client) };
}

test('rows beside it come while it is read, and figures only when all of it is counted', async () => {
	const { url, sql, instance, client, all } = await play();
	const names = client.of('activity').flatMap(({ events }) => events.map(({ name }) => name));
	const first = names.indexOf('large');
	const beside = Array.from({ length: first - 1 }, (_, i) => `beside ${i + 1}`);
	expect(names.slice(1, first)).toEqual(beside);
	// the last one may come with it
	expect(beside.length).toBeGreaterThanOrEqual(PIECES - 1);
	expect([told(client), client.resets()]).toEqual([{ rows: all, twice: 0 }, 1]);
	expect(await wrongFigures(sql, client)).toBe(0);
	const frames = client.of('activity');
	const counting = frames.filter(({ totals }) => !totals);
	expect(counting.length).toBeGreaterThan(1);
	// a tick may have moved them after the first frame: then it has told them too
	const shownAt = counting[0]?.at ?? '';
	const ticks = () => client.of('metrics').map(({ figures }) => figures.at);
	await client.until(() => [frames[0]?.at, ...ticks()].includes(shownAt));
	for (const { at, series } of counting) expect([at, series]).toEqual([shownAt, undefined]);
	expect(frames.at(-1)?.totals?.eventsCount).toBe(all);
	expect(instance.state().totals.eventsCount).toBe(all);

	// each position on the way, also those that have not seen what others have
	const elsewhere = await startTestInstance(url);
	const ids = client.events.flatMap(({ id }) => id ?? []);
	expect(ids.some((id) => positionOf(id).holes.length > 0)).toBe(true);
	for (const id of ids)
		for (const source of [instance, elsewhere]) {
			const back = follow(source, id);
			const missing = all - (await countSeen(sql, positionOf(id)));
			await back.until(() => told(back).rows >= missing && back.of('metrics').length > 0);
			expect([told(back), back.resets()]).toEqual([{ rows: missing, twice: 0 }, 0]);
			await back.leave();
		}
});

test('(control) figures of the windows, and a position without holes, are wrong on the way', async () => {
	hooks.showsWhatIsCounted = true;
	const { url, sql, client, all } = await play();
	expect(await wrongFigures(sql, client)).toBeGreaterThan(0);
	const early = client.events.flatMap(({ id }) => id ?? []).map(positionOf);
	// a hole may be a transaction of another database of the server: this one has rows in it
	const seen = async (one: Cursor) => [one, await countSeen(sql, one)] as const;
	const positions = await Promise.all(early.map(seen));
	const without = await Promise.all(early.map((one) => countSeen(sql, { ...one, holes: [] })));
	const [open, count] = positions.find(([, count], i) => count < (without[i] ?? 0)) as [
		Cursor,
		number,
	];
	const missing = all - count;
	const naive = follow(await startTestInstance(url), toId({ ...open, holes: [] }));
	await naive.until(() => naive.of('metrics').length > 0);
	expect(told(naive).rows).toBeLessThan(missing);
});

test('a view that is opened meanwhile, and a client that joins, get whole figures', async () => {
	const { url, sql } = await useDatabase();
	const instance = await startTestInstance(url);
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	const joined: Follower[] = [];
	betweenPieces(async (piece) => {
		await insert(sql, 'beside');
		if (piece === 2) joined.push(follow(instance));
	});
	await insert(sql, 'large', LARGE);
	const all = await settle(sql, client);
	const view = { filter: [], by: ['os' as const] };
	await instance.ready(view);
	expect(instance.state(view).totals.eventsCount).toBe(all);
	const [late] = joined as [Follower];
	await late.until(() => late.of('activity').some(({ totals }) => totals?.eventsCount === all));
	expect([await wrongFigures(sql, late), late.resets()]).toEqual([0, 1]);
	const [reset] = late.of('reset');
	const seen = await countSeen(sql, positionOf(reset?.cursor ?? ''));
	// its feed is that of its position, its figures are those from before the large transaction
	expect(told(late).rows).toBe(all - seen);
});

test('figures that stand still for long are told, until they move again', async () => {
	const { url, sql } = await useDatabase();
	const client = follow(await startTestInstance(url));
	await client.until(() => client.resets() === 1);
	const told = () => client.of('ping').at(-1)?.counting === true;
	hooks.beforePiece = () => client.until(told);
	await insert(sql, 'large', LARGE);
	await client.until(() => client.of('activity').at(-1)?.totals?.eventsCount === LARGE);
	await client.until(() => !told());
	expect(client.of('ping').some(({ counting }) => counting)).toBe(true);
});

test('more of them at once than are set aside are all read to their end', async () => {
	const { url, sql } = await useDatabase();
	const client = follow(await startTestInstance(url));
	await client.until(() => client.resets() === 1);
	const many = MAX_ASIDE + 2;
	betweenPieces(async () => {
		hooks.beforePiece = async () => {};
		await sql.unsafe(`do $$ begin for i in 1..${many} loop
			insert into nowboard.events (name) select 'large' from generate_series(1, ${CHUNK}); commit;
		end loop; end $$`);
	});
	await insert(sql, 'first', CHUNK + 1);
	await client.until(() => told(client).rows >= CHUNK * (many + 1));
	hooks.beforePiece = async () => {};
	await insert(sql, 'last');
	const all = await countAll(sql);
	await client.until(() => told(client).rows >= all);
	expect([told(client), client.resets()]).toEqual([{ rows: all, twice: 0 }, 1]);
	expect(await wrongFigures(sql, client)).toBe(0);
});

test('rows of it that are deleted while it is read are a reset, and leave exact figures', async () => {
	const { url, sql } = await useDatabase();
	const client = follow(await startTestInstance(url));
	await client.until(() => client.resets() === 1);
	betweenPieces(async (piece) => {
		if (piece === 2) await sql`delete from nowboard.events where name = 'large' and id % 2 = 0`;
	});
	await insert(sql, 'large', LARGE);
	await client.until(() => client.resets() > 1);
	const all = await countAll(sql);
	await expect
		.poll(() => client.of('reset').at(-1)?.totals.eventsCount, { timeout: 60_000 })
		.toBe(all);
});
