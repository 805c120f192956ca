/**
 * A process that starts with many events in its half hour: totals are exact at once, breakdowns say how far they reach, and when the
 * rest has been read everything is as if it had been read at once. The pieces are let through one by one, so nothing depends on speed.
 */
import { beforeEach, expect, test, vi } from 'vitest';
import { parseFilter } from '../../src/lib/filter';
import type { Sql } from '../../src/lib/server/db/connect';
import type * as ReadStart from '../../src/lib/server/live/read-start';
import { ALL, type ViewSpec } from '../../src/lib/server/live/views';
import type { Instance } from '../../src/lib/server/stream/hub';
import { follow } from '../setup/follow';
import { collectLog, startTestInstance, useDatabase } from '../setup/instances';

const gate = vi.hoisted(() => ({
	/** before each piece of what is read behind */
	beforePiece: async (_: number) => {},
}));

vi.mock('../../src/lib/server/live/read-start', async (original) => {
	const module = await original<typeof ReadStart>();
	async function* held(pieces: ReadStart.Rest['pieces']): ReadStart.Rest['pieces'] {
		let piece = 0;
		for await (const one of pieces) {
			await gate.beforePiece(++piece);
			yield one;
		}
	}
	return {
		...module,
		async readStart(...args: Parameters<typeof module.readStart>) {
			const start = await module.readStart(...args);
			return { ...start, rest: start.rest && { ...start.rest, pieces: held(start.rest.pieces) } };
		},
	};
});

beforeEach(() => void (gate.beforePiece = async () => {}));

/** Lets no piece through until it is opened. */
function closeGate(): { open: () => void; reached: () => number } {
	let open = () => {};
	let reached = 0;
	const opened = new Promise<void>((resolve) => (open = resolve));
	gate.beforePiece = (piece) => ((reached = piece), opened);
	return { open, reached: () => reached };
}

const OLD = 9_000;
/** Older than the sessions' five minutes, and so many that they are not read at once. */
const READ_AT_ONCE = 1_000;
const FILTER = parseFilter(['country:DE']);
if (!FILTER.ok) throw new Error(FILTER.error);
const GERMANY: ViewSpec = { filter: FILTER.filter, by: ['path', 'session'] };

/** Events over 28 minutes and some of this minute. */
async function fill(sql: Sql) {
	await sql`insert into nowboard.events (name, source, session_id, properties, context, created_at)
		select case when i % 3 = 0 then 'page_view' else 'click' end, 'web', 's' || i % 40,
			jsonb_build_object('path', '/' || i % 25, 'order', 12345678901234567890 + i % 2),
			jsonb_build_object('country', (array['DE', 'FR', null])[1 + i % 3]),
			now() - interval '6 minutes' - i * interval '1300 milliseconds' / 10 from generate_series(1, ${OLD}::int) i`;
	await sql`insert into nowboard.events (name, session_id) select 'page_view', 'new' || i from generate_series(1, 50) i`;
}

const figures = (instance: Instance, view?: ViewSpec) => {
	const { totals, tables, series, reach } = instance.state(view);
	return { totals, tables, series, reach };
};
const isWhole = (instance: Instance) =>
	expect.poll(() => instance.state().reach, { timeout: 60_000 }).toBe(null);

test('totals are exact at once, and all figures when the rest has been read, with what happened meanwhile', async () => {
	const { url, sql } = await useDatabase();
	await fill(sql);
	const { open, reached } = closeGate();
	const instance = await startTestInstance(url, { readAtOnce: READ_AT_ONCE });
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	const [reset] = client.of('reset');
	expect(reset?.totals).toMatchObject({ eventsCount: OLD + 50, pageViews: OLD / 3 + 50 });
	expect(reset?.totals.activeSessions).toBe(50);
	expect(reset?.reach).toBeLessThan(Date.now() - 4 * 60_000);
	expect(reset?.series.minutes.length).toBeLessThan(10);
	await expect.poll(reached).toBe(1);
	expect(instance.viewCosts().words).toContain('The half hour is being read');

	// a view, an event of now and one that is late come before the pieces that they belong to
	await instance.ready(GERMANY);
	expect(instance.state(GERMANY).totals.eventsCount).toBe(0);
	await sql`insert into nowboard.events (name, context, created_at) values
		('late', '{"country": "DE"}', now() - interval '20 minutes'), ('now', '{"country": "DE"}', now())`;
	await client.until(() => client.ids.length === 2);
	expect(client.of('activity')[0]?.totals?.eventsCount).toBe(OLD + 52);
	expect(instance.state(GERMANY).totals.eventsCount).toBe(1);

	open();
	await isWhole(instance);
	expect(instance.viewCosts().words).not.toContain('The half hour is being read');
	const other = await startTestInstance(url);
	await other.ready(GERMANY);
	// both at the time of one tick
	await expect
		.poll(() => [figures(instance), figures(instance, GERMANY)], { timeout: 60_000 })
		.toEqual([figures(other), figures(other, GERMANY)]);
	expect(figures(other, GERMANY).totals.eventsCount).toBe(OLD / 3 + 2);
	expect(client.resets()).toBe(1);
});

test('a connection that is lost meanwhile: everything is read again, and nothing is missing', async () => {
	const { url, sql } = await useDatabase();
	await fill(sql);
	const { open, reached } = closeGate();
	const { log, lines } = collectLog();
	const instance = await startTestInstance(url, { readAtOnce: READ_AT_ONCE, log });
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	await expect.poll(reached).toBe(1);
	await sql`select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and backend_xmin is not null and xact_start < now() - interval '1 millisecond'
			and pid <> pg_backend_pid()`;
	open();
	await client.until(() => client.resets() === 2);
	await isWhole(instance);
	expect(instance.state().totals.eventsCount).toBe(OLD + 50);
	expect(lines.filter((line) => line.includes('could not be read to its end'))).toHaveLength(1);
});

test('rows deleted meanwhile: everything is read again without them', async () => {
	const { url, sql } = await useDatabase();
	await fill(sql);
	const { open, reached } = closeGate();
	const instance = await startTestInstance(url, { readAtOnce: READ_AT_ONCE });
	// without a client it would look at the table every half minute
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	await expect.poll(reached).toBe(1);
	await sql`delete from nowboard.events where id <= 3000`;
	open();
	await expect
		.poll(() => instance.state(), { timeout: 60_000 })
		.toMatchObject({ totals: { eventsCount: OLD - 3_000 + 50 }, reach: null });
});

test('a process that stops meanwhile leaves no connection', async () => {
	const { url, sql } = await useDatabase();
	await fill(sql);
	const { reached } = closeGate();
	const instance = await startTestInstance(url, { readAtOnce: READ_AT_ONCE });
	await expect.poll(reached).toBe(1);
	await instance.stop();
	const inTransaction = () => sql`select 1 from pg_stat_activity
		where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`;
	await expect.poll(inTransaction, { timeout: 60_000 }).toEqual([]);
});

test('(control) a process that is not told to is not filled in: few rows are read at once', async () => {
	const { url, sql } = await useDatabase();
	await fill(sql);
	const { reached } = closeGate();
	const instance = await startTestInstance(url);
	expect([instance.state(ALL).reach, instance.state(ALL).totals.eventsCount, reached()]).toEqual([
		null,
		OLD + 50,
		0,
	]);
});
