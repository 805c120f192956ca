/**
 * What this process says of itself on the status page: facts of its parts, and its last hour. Takes no query, so it answers
 * while the database is away. It measures one thing of its own: how late its timer fires, which is how busy the process is.
 */
import type { Health, HealthPart, HealthState } from '../../health';
import { RING_BYTES, RING_FRAMES } from '../stream/ring';
import type { Ingest } from '../ingest/group-commit';
import type { Instance } from '../stream/hub';
import type { LastHour } from './last-hour';
import type { Robots } from '../ignored/robots';
import type { Rejections } from '../ingest/rejections';

export type HealthWatch = {
	health(): Health;
	stop(): void;
};

const SAMPLE_MS = 1_000;

/** @param more the state of background work */
export function startHealth({
	live,
	ingest,
	rejections,
	robots,
	version,
	hour,
	more,
}: {
	live: Pick<Instance, 'counts' | 'status' | 'missing' | 'look'>;
	ingest: Pick<Ingest, 'stats'>;
	rejections: Pick<Rejections, 'counts' | 'list'>;
	robots: Pick<Robots, 'list'>;
	version: string;
	hour: LastHour;
	more: () => HealthPart[];
}): HealthWatch {
	const startedAt = new Date().toISOString();
	let begun = false;
	let planned = performance.now() + SAMPLE_MS;

	/** the worst of what is told below, in a word */
	function state(): HealthState {
		begun ||= live.missing().length === 0;
		const { database, listener, reading, writing } = live.status();
		if (writing !== null || reading !== null) return 'broken';
		if (database === 'down') return begun ? 'broken' : 'starting';
		const others = more().map((part) => part.state);
		if (others.includes('broken')) return 'broken';
		return listener === 'deaf' || others.includes('degraded') ? 'degraded' : 'fine';
	}

	const timer = setInterval(() => {
		const lateMs = Math.max(0, Math.round(performance.now() - planned));
		planned = performance.now() + SAMPLE_MS;
		const { clients, events } = live.counts();
		const rejected = Object.values(rejections.counts()).reduce((sum, count) => sum + count, 0);
		hour.sample({ state: state(), clients, events, rejected, lateMs });
	}, SAMPLE_MS);

	const ago = (at: number | null) => (at === null ? null : Math.round(performance.now() - at));

	return {
		health() {
			// without open pages the table and NOTIFY are checked rarely: check now for this request
			live.look();
			const counts = live.counts();
			return {
				...live.status(),
				state: state(),
				missing: live.missing(),
				version,
				startedAt,
				readAgoMs: ago(counts.drainedAt),
				readMs: counts.drainMs === null ? null : Math.round(counts.drainMs * 10) / 10,
				tickAgoMs: ago(counts.tickedAt),
				clients: counts.clients,
				ring: {
					frames: counts.ringFrames,
					bytes: counts.ringBytes,
					maxFrames: RING_FRAMES,
					maxBytes: RING_BYTES,
				},
				heldEvents: ingest.stats().heldRows,
				memoryBytes: process.memoryUsage.rss(),
				more: more(),
				refused: rejections.list(),
				robots: robots.list(),
				minutes: hour.minutes(),
			};
		},
		stop: () => clearInterval(timer),
	};
}
