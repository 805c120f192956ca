/**
 * From the first schema forward, one migration after the other, with data in it: what was there is kept, what older builds say is
 * still understood, and clients come back with cursors from before. There is no way back, but an older build goes on at a
 * newer schema.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { readJournal } from '../../src/lib/server/migrations/journal';
import { migrate } from '../../src/lib/server/migrations/migrate';
import { parseSnapshot, toId } from '../../src/lib/server/reader/cursor';
import { createAppServer } from '../setup/app-server';
import { follow } from '../setup/follow';
import { followHttp, post } from '../setup/follow-http';
import { startTestInstance } from '../setup/instances';
import { copyFolder, folderWith, useEmptyDatabase } from '../setup/migrations';
import {
	drainAsFirstBuild,
	insertAsFirstBuild,
	insertByHand,
	tickAsFirstBuild,
} from '../setup/older-build';

const JOURNAL = readJournal('drizzle');
const LATEST = JOURNAL.length;
/** With these the first build could run: tables, and the triggers that the cursor stands on. */
const FIRST_BUILD = 2;
/** Renewed the epoch because it says more now (0002_deletions): cursors from before it got a reset. */
const KEEPS_CURSORS_FROM = 3;

const dump = (sql: Sql) =>
	sql`select id, tx::text, event_id, name, source, session_id, properties, created_at from nowboard.events order by id`;

/** Where a client stands that has seen everything; null before there were cursors. */
async function cursorOf(sql: Sql): Promise<string | null> {
	const [found] = await sql<{ epoch: string | null; last: string | null; now: string }[]>`
		select (select value from nowboard.meta where key = 'epoch') as epoch, (select max(tx::text::bigint)::text from nowboard.events) as last,
			pg_current_snapshot()::text as now`;
	if (!found?.epoch) return null;
	const last = BigInt(found.last ?? 0);
	// transactions of other databases of the server stand in snapshots too
	const holes = parseSnapshot(found.now).running.filter((tx) => tx < last);
	return toId({ epoch: found.epoch, last, holes });
}

test('from the first schema, through every migration: rows are kept, and older statements are understood', async () => {
	const { url, sql } = await useEmptyDatabase();
	await migrate(url, { folder: folderWith(1) });
	await sql`insert into nowboard.events (name, source, properties) select 'first ' || n, 'older', jsonb_build_object('n', n)
		from generate_series(1, 300) as n`;
	const older = connect(`${url}?search_path=nowboard`, { max: 1 });
	onTestFinished(() => older.end({ timeout: 1 }));
	await tickAsFirstBuild(older, 1);
	const first = await dump(sql);
	const firstTx = BigInt(first[0]?.tx as string);
	for (let known = FIRST_BUILD; known <= LATEST; known++) {
		const tag = JOURNAL[known - 1]?.tag;
		expect(await migrate(url, { folder: folderWith(known) }), tag).toBe(1);
		const rung: string[] = [];
		const listener = connect(url, { max: 1 });
		await listener.listen('nowboard', (payload) => rung.push(payload));
		const said = await insertAsFirstBuild(older, [`${tag} a`, `${tag} b`]);
		expect([said, await insertByHand(older, `${tag} by hand`)], tag).toEqual([2, 1]);
		expect(await tickAsFirstBuild(older, known), tag).toBe(1);
		await expect.poll(() => rung.length, { message: `notifications at ${tag}` }).toBe(2);
		await listener.end();
		const drained = await drainAsFirstBuild(older, firstTx);
		expect(drained.slice(-3).sort(), tag).toEqual([`${tag} a`, `${tag} b`, `${tag} by hand`]);
	}
	expect((await dump(sql)).slice(0, 300)).toEqual(first);
	expect(await sql`select tick from nowboard.metrics_snapshots order by tick`).toHaveLength(LATEST);
});

test.each(Array.from({ length: LATEST }, (_, index) => index + 1))(
	'a client that left at schema %i of the journal comes back to the newest',
	async (known) => {
		const { url, sql } = await useEmptyDatabase();
		await migrate(url, { folder: folderWith(known) });
		await sql`insert into nowboard.events (name) values ('seen')`;
		const cursor = await cursorOf(sql);
		const [missed] = await sql`insert into nowboard.events (name) values ('missed') returning id`;
		const prepare = async () => void (await migrate(url));
		const instance = await startTestInstance(url, { prepare });
		const client = follow(instance, cursor);
		const keeps = known >= KEEPS_CURSORS_FROM;
		await client.until(({ ids, resets }) => ids.length + resets() > 0);
		// never a silent gap: either exactly what it missed, or the whole state
		expect({ ids: client.ids, resets: client.resets() }).toEqual(
			keeps ? { ids: [Number(missed?.id)], resets: 0 } : { ids: [], resets: 1 },
		);
		if (!keeps)
			expect(client.of('reset')[0]?.events.map(({ name }) => name)).toEqual(['missed', 'seen']);
	},
);

/** The build before the newest migration, and a viewer. */
/** Another build's migrations: ours, and one that this build does not know. */
function folderOfNextBuild(): string {
	return copyFolder((entries, folder) => {
		const when = (entries.at(-1)?.when ?? 0) + 1;
		const tag = '9999_next';
		writeFileSync(join(folder, `${tag}.sql`), 'ALTER TABLE "events" ADD COLUMN "later" text;');
		entries.push({ idx: entries.length, when, tag });
	});
}

/** This build, without the next one's migration. */
async function startOlder(url: string) {
	const env = { MIGRATIONS_DIR: folderWith(LATEST) };
	const older = createAppServer(await freePort(), url, env);
	onTestFinished(() => older.kill('SIGKILL'));
	await older.start();
	const client = followHttp(older.url);
	await client.until(({ resets }) => resets() === 1);
	return { older, client };
}

test('the next migration runs while the build before it serves: every event comes, once, and none is refused', async () => {
	const { url, sql } = await useEmptyDatabase();
	const { older, client } = await startOlder(url);
	const answers: number[] = [];
	let sending = true;
	const sender = (async () => {
		while (sending) answers.push(await post(older.url, { name: `sent ${answers.length}` }));
	})();
	await client.until(({ ids }) => ids.length > 20);
	expect(await migrate(url, { folder: folderOfNextBuild() })).toBe(1);
	const then = answers.length;
	await client.until(({ ids }) => ids.length > then + 20);
	sending = false;
	await sender;
	const rows = await sql<{ id: string }[]>`select id from nowboard.events order by id`;
	await client.until(({ ids }) => ids.length >= rows.length);
	expect(client.ids.toSorted((a, b) => a - b)).toEqual(rows.map(({ id }) => Number(id)));
	expect([new Set(answers), client.resets()]).toEqual([new Set([202]), 1]);
	// and the new build takes over what the old one's clients know
	await older.kill('SIGTERM');
	const newer = createAppServer(Number(new URL(older.url).port), url, {
		MIGRATIONS_DIR: folderOfNextBuild(),
	});
	onTestFinished(() => newer.kill('SIGKILL'));
	await newer.start();
	const back = followHttp(newer.url, client.cursor());
	expect(await post(newer.url, { name: 'at the newer' })).toBe(202);
	await back.until(({ ids }) => ids.length > 0);
	expect([back.ids.length, back.resets()]).toEqual([1, 0]);
});

test('an older build at a newer schema: it starts, takes events, streams them, and its log says why', async () => {
	const { url, sql } = await useEmptyDatabase();
	await migrate(url, { folder: folderOfNextBuild() });
	const { older, client } = await startOlder(url);
	expect(await post(older.url, { name: 'through the older build' })).toBe(202);
	await client.until(({ ids }) => ids.length === 1);
	expect(older.output()).toContain('The database has 1 migration of a newer version');
	expect(await sql`select count(*)::int as n from nowboard.__drizzle_migrations`).toEqual([
		{ n: LATEST + 1 },
	]);
});
