/**
 * What Prometheus scrapes. Counters and gauges are read from the parts at each scrape; distributions (`Timings`) are told each
 * value. Names begin with `nowboard_`, units are base units (https://prometheus.io/docs/practices/naming/). Every label is from
 * a closed set and present from the start, so that `rate()` sees the first of its kind.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { RING_BYTES, RING_FRAMES } from '../stream/ring';
import type { Ingest } from '../ingest/group-commit';
import type { Instance } from '../stream/hub';
import type { RelayStatus } from '../relay/relay';
import type { Rejections } from '../ingest/rejections';

export type Metrics = {
	contentType: string;
	/** The text of one scrape. */
	scrape(): Promise<string>;
};

/** Distributions. They exist before the parts that report to them. */
export type Timings = {
	/** A drain took so long. */
	sawDrain(ms: number): void;
	/** Events were published so long after the newest of them was inserted. */
	sawDelay(ms: number): void;
	/** One INSERT was committed, of so many events. */
	sawGroup(events: number): void;
	registry: Registry;
};

/** A drain is a query of a millisecond, or something is wrong; the limits are those of the deadlines around it. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const GROUP_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** Histograms of their own, so that they can be filled before the metrics are made. */
export function createTimings(): Timings {
	const registry = new Registry();
	const histogram = (name: string, help: string, buckets: number[]) =>
		new Histogram({ name: `nowboard_${name}`, help, buckets, registers: [registry] });
	const drain = histogram('drain_duration_seconds', 'Reads of what is new.', SECONDS);
	const delay = histogram(
		'delivery_delay_seconds',
		'From the insert of the newest event of a frame to its place in the ring.',
		SECONDS,
	);
	const group = histogram('ingest_group_events', 'Events in one committed INSERT.', GROUP_SIZES);
	return {
		sawDrain: (ms) => drain.observe(ms / 1_000),
		sawDelay: (ms) => delay.observe(ms / 1_000),
		sawGroup: (events) => group.observe(events),
		registry,
	};
}

/** @param version of this build */
export function createMetrics({
	timings: { registry },
	live,
	ingest,
	rejections,
	version,
}: {
	timings: Pick<Timings, 'registry'>;
	live: Pick<Instance, 'counts' | 'status' | 'missing' | 'relay'>;
	ingest: Pick<Ingest, 'stats'>;
	rejections: Pick<Rejections, 'counts'>;
	version: string;
}): Metrics {
	const registers = [registry];
	// event loop delay, garbage collection, memory, CPU time
	collectDefaultMetrics({ register: registry, prefix: 'nowboard_' });
	// these three are gauges in spite of their names, and the sums of others
	for (const kind of ['handles', 'requests', 'resources'])
		registry.removeSingleMetric(`nowboard_nodejs_active_${kind}_total`);

	function gauge(name: string, help: string, read: () => number) {
		new Gauge({
			name: `nowboard_${name}`,
			help,
			registers,
			collect() {
				this.set(read());
			},
		});
	}
	function counter(name: string, help: string, read: () => number) {
		new Counter({
			name: `nowboard_${name}_total`,
			help,
			registers,
			collect() {
				this.reset();
				this.inc(read());
			},
		});
	}
	function counterBy(
		label: string,
		name: string,
		help: string,
		read: () => Record<string, number>,
	) {
		new Counter({
			name: `nowboard_${name}_total`,
			help,
			labelNames: [label],
			registers,
			collect() {
				this.reset();
				for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
			},
		});
	}
	new Gauge({
		name: 'nowboard_build_info',
		help: 'Always 1; which build this is.',
		labelNames: ['version'],
		registers,
	}).set({ version }, 1);
	gauge('ready', '1 when /readyz says so.', () => Number(live.missing().length === 0));
	gauge('database_up', '1 when the last read succeeded.', () =>
		Number(live.status().database === 'up'),
	);
	gauge('listener_up', '1 when NOTIFY arrives; otherwise the table is polled.', () =>
		Number(live.status().listener === 'up'),
	);
	gauge('writing_up', '0 while the database is known to take no events.', () =>
		Number(live.status().writing === null),
	);

	gauge('stream_clients', 'Open streams.', () => live.counts().clients);
	counter('stream_frames', 'Frames put into the ring.', () => live.counts().frames);
	counter('stream_bytes', 'Bytes of them, once for all clients.', () => live.counts().bytes);
	counter('stream_resets', 'Clients that were given the whole state.', () => live.counts().resets);
	counterBy('reason', 'stream_ended', 'Streams that ended.', () => live.counts().ended);
	gauge('ring_frames', 'Frames in the ring.', () => live.counts().ringFrames);
	gauge('ring_bytes', 'Bytes in the ring.', () => live.counts().ringBytes);
	gauge('ring_limit_frames', 'Frames the ring holds at most.', () => RING_FRAMES);
	gauge('ring_limit_bytes', 'Bytes the ring holds at most.', () => RING_BYTES);

	counter(
		'stream_events',
		'Events published, also those that frames only count.',
		() => live.counts().events,
	);

	counterBy('result', 'ingest_events', 'Events answered after their commit.', () => {
		const { accepted, duplicates } = ingest.stats();
		return { accepted, duplicate: duplicates };
	});
	counter('ingest_accepted_requests', 'Requests with them.', () => ingest.stats().requests);
	counterBy('reason', 'ingest_rejected_requests', 'Requests that were refused.', () =>
		rejections.counts(),
	);
	gauge('ingest_held_events', 'Submitted and not yet answered.', () => ingest.stats().heldRows);
	gauge('ingest_held_bytes', 'Bytes of them.', () => ingest.stats().heldBytes);

	if (live.relay()) {
		const relay = () => live.relay() as RelayStatus;
		gauge('relay_up', '1 when Redis answers.', () =>
			Number(relay().up && relay().trouble === null),
		);
		gauge('relay_reader', '1 when this process reads from Postgres for all.', () =>
			Number(relay().mode === 'reader'),
		);
		gauge('relay_following', '1 when events come from the relay.', () =>
			Number(relay().mode === 'follower'),
		);
		gauge(
			'relay_lag_seconds',
			'Age of the last message when it came.',
			() => (relay().lagMs ?? 0) / 1_000,
		);
		counterBy('result', 'relay_batches', 'Batches of the relay, by what became of them.', () => {
			const { appended, dropped, taken, gaps, foreign } = relay();
			return { appended, dropped, taken, gap: gaps, foreign };
		});
	}

	return {
		contentType: registry.contentType,
		scrape: () => registry.metrics(),
	};
}
