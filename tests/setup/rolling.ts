/** A rolling restart under the eyes of viewers, for any reverse proxy in front. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Sql } from '../../src/lib/server/db/connect';
import type { RunningApp } from './app-server';
import { followHttp, post, type HttpFollower } from './follow-http';

/** A client with the manners of our store: it comes back after `retryMs`, with its cursor. */
function startViewer(url: string) {
	const ids: number[] = [];
	const seen: { status: number; failure: string | null; last: string | undefined }[] = [];
	const arrivals: number[] = [];
	let going = true;
	let resets = 0;
	/** null while it is between two connections */
	let current: HttpFollower | null = followHttp(url);
	let cursor: string | null = null;
	const done = (async () => {
		for (;;) {
			arrivals.push(performance.now());
			const here: HttpFollower = current ?? followHttp(url, cursor);
			current = here;
			await expect.poll(() => here.ended() || !going, { timeout: 60_000 }).toBe(true);
			ids.push(...here.ids);
			resets += here.resets();
			cursor = here.cursor();
			current = null;
			const last = here.events.at(-1);
			if (!going) return;
			seen.push({ status: here.status(), failure: here.failure(), last: last?.name });
			await pause((here.of('bye')[0]?.retryMs ?? 0) + 1);
		}
	})();
	return {
		seen,
		arrivals,
		ids: () => [...ids, ...(current?.ids ?? [])],
		resets: () => resets + (current?.resets() ?? 0),
		async stop() {
			going = false;
			await done;
			return ids;
		},
	};
}

/**
 * Restarts one app after the other during writes through `url`, and asserts that clients saw nothing but a
 * `bye`.
 * @param forgiven statuses that a POST may get from a proxy that cannot retry: nothing of it may have been
 * saved
 */
export async function restartInTurn(
	apps: readonly RunningApp[],
	url: string,
	sql: Sql,
	forgiven: readonly number[] = [],
): Promise<void> {
	const viewers = Array.from({ length: 40 }, () => startViewer(url));
	await Promise.all(viewers.map((one) => expect.poll(one.resets, { timeout: 60_000 }).toBe(1)));
	const statuses: number[] = [];
	let writing = true;
	const writer = (async () => {
		while (writing) {
			statuses.push(await post(url, { name: 'order' }));
			await pause(10);
		}
	})();
	const startedAt = performance.now();
	for (const app of apps) {
		await app.kill('SIGTERM');
		await app.start();
		await pause(500);
	}
	writing = false;
	await writer;

	const committed = (await sql<{ id: string }[]>`select id from nowboard.events`).map(({ id }) =>
		Number(id),
	);
	const answered = statuses.filter((status) => !forgiven.includes(status));
	expect(new Set(answered)).toEqual(new Set([202]));
	expect(committed.length).toBe(answered.length);
	for (const viewer of viewers) {
		await expect
			.poll(() => viewer.ids().length, { timeout: 60_000 })
			.toBeGreaterThanOrEqual(committed.length);
		const ids = await viewer.stop();
		expect(ids.sort((a, b) => a - b)).toEqual(committed.sort((a, b) => a - b));
		for (const one of viewer.seen) expect(one).toEqual({ status: 200, failure: null, last: 'bye' });
	}
	// disconnected clients did not reconnect at the same moment
	const back = viewers.flatMap(({ arrivals }) => arrivals).filter((at) => at > startedAt);
	expect(back.length).toBeGreaterThanOrEqual(viewers.length);
	expect(Math.max(...back) - Math.min(...back)).toBeGreaterThan(500);
}
