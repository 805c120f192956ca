/** What the short tests do in seconds (tests/delivery/trouble.test.ts), for a whole minute: `node build` while another client holds the table. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { connect } from '../../src/lib/server/db/connect';
import { createAppServer } from '../setup/app-server';
import { followHttp } from '../setup/follow-http';
import { useDatabase } from '../setup/instances';

const LOCKED_MS = 60_000;
/** Senders must not wait longer for an answer. */
const ANSWER_MS = 12_000;

test('the table is locked for a minute: told, refused, and all there once when it is over', async () => {
	const { url: databaseUrl, sql } = await useDatabase();
	const app = createAppServer(await freePort(), databaseUrl);
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	const client = followHttp(app.url);
	await client.until(({ resets }) => resets() === 1);
	const send = async (eventId: string) => {
		const begun = performance.now();
		const { status } = await fetch(`${app.url}/api/events`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ name: 'sent', eventId }),
		});
		return { status, ms: performance.now() - begun };
	};
	const before = randomUUID();
	expect((await send(before)).status).toBe(202);

	const locker = connect(databaseUrl, { max: 1 });
	onTestFinished(() => locker.end({ timeout: 1 }));
	await locker`begin`;
	await locker`lock table nowboard.events in access exclusive mode`;
	const until = performance.now() + LOCKED_MS;
	const refused: string[] = [];
	while (performance.now() < until) {
		const id = randomUUID();
		const { status, ms } = await send(id);
		expect(status).toBe(503);
		expect(ms).toBeLessThan(ANSWER_MS);
		refused.push(id);
		await pause(1_000);
	}
	expect(client.of('ping').at(-1)).toMatchObject({
		database: 'down',
		reading: 'locked',
		writing: 'locked',
	});
	expect(client.ended()).toBe(false);
	await locker`commit`;

	await client.until(({ of }) => {
		const last = of('ping').at(-1);
		return last?.database === 'up' && last.reading === null && last.writing === null;
	}, 20_000);
	// no answer said whether they were saved; sent again they are there once
	for (const id of refused) await expect.poll(async () => (await send(id)).status).toBe(202);
	const ids = [before, ...refused];
	const shown = () =>
		client
			.of('activity')
			.flatMap(({ events }) => events.map(({ eventId }) => eventId))
			.filter((id) => ids.includes(id));
	await client.until(() => shown().length >= ids.length);
	expect(shown().toSorted()).toEqual(ids.toSorted());
	expect(client.resets()).toBe(1);
	const [row] = await sql`select count(*)::int as rows from nowboard.events where name = 'sent'`;
	expect(row).toEqual({ rows: ids.length });
}, 180_000);
