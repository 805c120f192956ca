/** Presence between instances, on a Postgres of its own that is crashed. */
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/lib/server/db/connect';
import { LEAVING_MS } from '../../src/lib/presence';
import type { People, Presence } from '../../src/lib/protocol';
import { startPresence } from '../../src/lib/server/presence/presence';
import { toSaid, type Said } from '../../src/lib/server/presence/presence-row';
import { follow } from '../setup/follow';
import { startTestInstance } from '../setup/instances';
import { startServer } from '../setup/private-server';

const WAIT = { timeout: 120_000, interval: 50 };
const GERMAN = { country: 'DE' };
const FILTER = [{ dimension: 'country', operator: ':', value: 'DE', negated: false }] as const;

function said(session: number, change: Partial<Parameters<typeof toSaid>[0]> = {}): Said {
	return toSaid({
		source: 'web',
		sessionId: `session ${session}`,
		state: 'visible',
		idleMs: 0,
		properties: { path: '/' },
		context: session % 2 === 0 ? GERMAN : null,
		statedAt: null,
		...change,
	}) as Said;
}

/** A process: it writes what it hears, reads who is here, and a client watches. */
async function startProcess(url: string) {
	const log = pino({ level: 'silent' });
	const presence = startPresence({
		connect: () => connect(url, { max: 1 }),
		log,
		writeEveryMs: 100,
	});
	onTestFinished(() => presence.stop());
	const instance = await startTestInstance(url, { presence: presence.reader });
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	return {
		hear: presence.hear,
		people: () => instance.state().people as Presence,
		german: () => presence.reader.of({ filter: FILTER }),
		/** what a client was told last */
		told: () => client.of('presence').at(-1)?.people as Presence,
		/** the fewest people that a client was told since `from` frames */
		fewest: (from: number) =>
			Math.min(
				...client
					.of('presence')
					.slice(from)
					.map(({ people }) => (people === 'unknown' ? 0 : people.active + people.idle)),
			),
		frames: () => client.of('presence').length,
	};
}
const people = (active: number, idle: number, pages: [string, number][]): People => ({
	active,
	idle,
	pages: { rows: pages.map(([key, count]) => ({ key, count })), other: 0 },
	referrers: { rows: active + idle > 0 ? [{ key: '', count: active + idle }] : [], other: 0 },
});

test('two instances agree, a new one knows at once, and a crash of Postgres is over with the next heartbeats', async () => {
	const server = await startServer();
	onTestFinished(() => server.drop());
	const sql = connect(server.url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	const [one, two] = [await startProcess(server.url), await startProcess(server.url)];

	async function expectAll(expected: People, german: Partial<People>, processes = [one, two]) {
		for (const { told, people, german: germans } of processes) {
			await expect.poll(told, WAIT).toEqual(expected);
			expect(people()).toEqual(expected);
			expect(germans()).toMatchObject(german);
		}
	}

	// heard by either of them; a session's later state wins, in whatever order they are heard
	const at = Date.now();
	const third = { properties: { path: '/docs' }, idleMs: 3_600_000 };
	one.hear([said(1), said(2, { properties: { path: '/a' }, statedAt: at + 1 })]);
	two.hear([said(2, { properties: { path: '/too-late' }, statedAt: at }), said(3, third)]);
	const three = people(2, 1, [['/', 1], ['/a', 1], ['/docs', 1]]); // prettier-ignore
	await expectAll(three, { active: 1, idle: 0 });

	// heartbeats that change nothing write no rows of sessions
	const rows = () => sql`select id, written_at from nowboard.presence order by id`;
	const before = await rows();
	const beats = async () =>
		(await sql<[{ n: number }]>`select count(*)::int as n from nowboard.presence_beats`)[0].n;
	const heard = await beats();
	one.hear([said(1), said(3, third)]);
	await expect.poll(beats, WAIT).toBeGreaterThan(heard);
	expect(await rows()).toEqual(before);

	// a page that is left is shown until the next one may have come, and then is gone everywhere
	// a page says that it leaves, and that it is hidden a moment later: in either order, by either instance, the end counts
	const leaving = said(2, { state: 'gone', properties: {}, statedAt: at + 5 });
	const hiding = said(2, { state: 'hidden', statedAt: at + 6 });
	one.hear([hiding]);
	await expect
		.poll(
			() => sql`select from nowboard.presence where session_id = 'session 2' and not visible`,
			WAIT,
		)
		.toHaveLength(1);
	two.hear([hiding, leaving, hiding]);
	one.hear([hiding]);
	await expectAll(people(1, 1, [['/', 1], ['/docs', 1]]), { active: 0, idle: 0 }); // prettier-ignore
	const [row] = await sql<[{ ms: number }]>`
		select extract(epoch from clock_timestamp() - left_at) * 1000 as ms from nowboard.presence where left_at is not null`;
	expect(Number(row.ms)).toBeGreaterThanOrEqual(LEAVING_MS);

	// a new instance, as after a restart, knows at once
	one.hear([said(1, { state: 'hidden' })]);
	const idle = people(0, 2, [['/', 1], ['/docs', 1]]); // prettier-ignore
	await expectAll(idle, { active: 0, idle: 0 });
	const fresh = await startProcess(server.url);
	await expectAll(idle, { active: 0, idle: 0 }, [fresh]);

	// a crash empties the tables (control: an instance that starts now finds no one), and heartbeats fill them
	const [frames, since] = [one.frames(), Date.now()];
	await server.stop('immediate');
	one.hear([said(4), said(4, { state: 'gone', properties: {} })]);
	await server.start();
	const none = await startProcess(server.url);
	await expectAll(people(0, 0, []), { active: 0, idle: 0 }, [none]);
	one.hear([said(1), said(3, third)]);
	const after = people(1, 1, [['/', 1], ['/docs', 1]]); // prettier-ignore
	await expectAll(after, { active: 0, idle: 0 }, [one, two, fresh, none]);
	// who watched meanwhile never saw them leave, unless the machine took longer than a session is kept without a word
	if (Date.now() - since < 30_000) expect(one.fewest(frames)).toBe(2);
}, 300_000);
