/** People who look while others do harm: an event every half second, and how long after its INSERT each of them had it. */
import { followEvents } from '../../bench/follow';
import { quantile } from '../../bench/quantile';
import type { Sql } from '../../src/lib/server/db/connect';
import { HONEST_SOURCE } from './run';

const VIEWERS = 10;
const EVERY_MS = 500;
/** What was written so lately may be on its way. */
const ON_ITS_WAY_MS = 2_000;
const LOOK_MS = 20;

export type Looked = {
	events: number;
	/** ms, over all viewers and events; NaN when nothing came */
	p50: number;
	p99: number;
	/** events times viewers that did not see them */
	unseen: number;
};
export type HonestViewers = {
	/** since the last time that it was asked; waits for what is on its way */
	report(): Promise<Looked>;
	stop(): void;
};

/** Resolves when all look. @param session the token of one; each viewer sends it as its cookie */
export async function startHonestViewers(
	origin: string,
	sql: Sql,
	session: string,
	viewers = VIEWERS,
	everyMs = EVERY_MS,
	onItsWayMs = ON_ITS_WAY_MS,
): Promise<HonestViewers> {
	let delays: number[] = [];
	let events = 0;
	const sent = new Map<string, number>();
	const headers = { cookie: `nowboard_viewer=${session}` };
	const following = Array.from({ length: viewers }, () =>
		followEvents(
			`${origin}/api/dashboard/stream?source=${HONEST_SOURCE}`,
			(id) => {
				const at = sent.get(id);
				if (at !== undefined) delays.push(performance.now() - at);
			},
			headers,
		),
	);
	await Promise.all(following.map(({ joined }) => joined));
	let writing = true;
	const timer = setInterval(() => {
		if (!writing) return;
		const id = crypto.randomUUID();
		sent.set(id, performance.now());
		events++;
		// a database that is away would be told by the fuzz itself
		void sql`insert into events (event_id, name, source) values (${id}, 'look', ${HONEST_SOURCE})`.catch(
			() => {},
		);
	}, everyMs);
	return {
		async report() {
			writing = false;
			const deadline = performance.now() + onItsWayMs;
			while (delays.length < events * viewers && performance.now() < deadline)
				await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
			const looked = {
				events,
				p50: quantile(delays, 0.5),
				p99: quantile(delays, 0.99),
				unseen: events * viewers - delays.length,
			};
			delays = [];
			events = 0;
			sent.clear();
			writing = true;
			return looked;
		},
		stop() {
			clearInterval(timer);
			for (const one of following) one.stop();
		},
	};
}
