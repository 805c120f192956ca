/**
 * What Prometheus scrapes: read off the parts at each scrape, which count for themselves. Names begin with `nowboard_`, units are
 * base units, as Prometheus asks (https://prometheus.io/docs/practices/naming/). It knows no request.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Ingest } from './ingest';
import type { Instance } from './instance';
import type { Rejections } from './rejections';

export type Metrics = {
	contentType: string;
	/** The text of one scrape. */
	scrape(): Promise<string>;
};

export function createMetrics(
	live: Instance,
	ingest: Pick<Ingest, 'stats'>,
	rejections: Rejections,
): Metrics {
	const registry = new Registry();
	// event loop delay, garbage collection, memory, CPU time
	collectDefaultMetrics({ register: registry, prefix: 'nowboard_' });
	const registers = [registry];

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

	function counterBy(name: string, help: string, read: () => Record<string, number>) {
		new Counter({
			name: `nowboard_${name}_total`,
			help,
			labelNames: ['reason'],
			registers,
			collect() {
				this.reset();
				for (const [reason, count] of Object.entries(read())) this.inc({ reason }, count);
			},
		});
	}

	gauge('stream_clients', 'Open streams.', () => live.counts().clients);
	counter('stream_frames', 'Frames put into the ring.', () => live.counts().frames);
	counter(
		'stream_bytes',
		'Bytes of those frames, once for all clients.',
		() => live.counts().bytes,
	);
	counter('stream_resets', 'Clients that were given the whole state.', () => live.counts().resets);
	counterBy('stream_ended', 'Streams that ended, by why.', () => live.counts().ended);
	gauge('ring_frames', 'Frames in the ring.', () => live.counts().ringFrames);
	gauge('ring_bytes', 'Bytes in the ring.', () => live.counts().ringBytes);
	counter('drains', 'Reads of what is new.', () => live.counts().drains);
	counter('drain_seconds', 'Time spent in them.', () => live.counts().drainMs / 1_000);
	counter('drained_events', 'Events they found.', () => live.counts().events);
	gauge('database_up', '1 when the last read succeeded.', () =>
		Number(live.status().database === 'up'),
	);
	gauge('listener_up', '1 when NOTIFY arrives; otherwise the table is polled.', () =>
		Number(live.status().listener === 'up'),
	);
	gauge('ready', '1 when /readyz says so.', () => Number(live.missing().length === 0));
	counter('ingest_rows', 'Rows committed.', () => ingest.stats().rows);
	counter('ingest_groups', 'Transactions they were committed in.', () => ingest.stats().groups);
	counterBy('ingest_rejected', 'Requests that were refused, by why.', () => rejections.counts());
	gauge('ingest_held_rows', 'Submitted and not yet answered.', () => ingest.stats().heldRows);
	gauge('ingest_held_bytes', 'The same in bytes.', () => ingest.stats().heldBytes);

	return { contentType: registry.contentType, scrape: () => registry.metrics() };
}
