/** The viewers of honest.ts, in their process. Who writes their events is here too: one clock tells the delay. */
import { followEvents } from '../../bench/load/follow';
import { quantile } from '../../bench/report/quantile';
import { answer } from '../../bench/load/remote';
import { connect } from '../../src/lib/server/db/connect';
import type { Commands } from './honest';

const LOOK_MS = 20;

let delays: number[] = [];
let events = 0;
let viewers = 0;
let onItsWayMs = 0;
let writing = true;
const sent = new Map<string, number>();

answer<Commands>({
	async watch({ origin, databaseUrl, session, source, everyMs, ...given }) {
		({ viewers, onItsWayMs } = given);
		const sql = connect(databaseUrl, { max: 1, applicationName: 'nowboard honest' });
		const headers = { cookie: `nowboard_viewer=${session}` };
		const following = Array.from({ length: viewers }, () =>
			followEvents(
				`${origin}/api/dashboard/stream?source=${source}`,
				(id) => {
					const at = sent.get(id);
					if (at !== undefined) delays.push(performance.now() - at);
				},
				headers,
			),
		);
		await Promise.all(following.map(({ joined }) => joined));
		setInterval(() => {
			if (!writing) return;
			const id = crypto.randomUUID();
			sent.set(id, performance.now());
			events++;
			// a database that is away would be told by the fuzz itself
			void sql`insert into nowboard.events (event_id, name, source) values (${id}, 'look', ${source})`.catch(
				() => {},
			);
		}, everyMs);
		return null;
	},
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
});
