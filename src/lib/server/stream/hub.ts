/**
 * One process's reading side, joined together: reading loop → publisher → ring → clients, and the ticks. How a client joins
 * is subscribe.ts.
 */
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import type { Dimension } from '../../dimensions';
import type { HealthPart } from '../../health';
import type { Values } from '../../history';
import { PING_INTERVAL_MS, type DashboardState, type Ping, type Tick } from '../../protocol';
import { createBroadcast, type Broadcast } from './broadcast';
import { createBus, type Bus, type Frame } from './ring';
import { createCatchUp } from './catch-up';
import { createClients, type Clients } from './clients';
import { createClock } from '../db/database-clock';
import type { Relay, RelayStatus } from '../relay/relay';
import { FRAME_INTERVAL_MS } from '../reader/drain-loop';
import { concat, encode, pickFor, toActivityOf, toHeartbeat, toMetrics } from './frames';
import { createPeopleFrames } from './people-frames';
import type { PresenceReader } from '../presence/presence';
import { createSubscribe } from './subscribe';
import { createReading } from './publisher';
import { startReadingLoop, type ReadingLoop } from './reading-loop';
import { createShownViews } from './shown-views';
import { watchFigures } from './standing-figures';
import { createWatchedViews } from './watched-views';
import { ALL, type OpenView, type ViewSpec } from '../live/views';
import { createViewCosts } from './view-costs';
import { createSkippedRows, type SkippedRows } from './skipped-rows';
import { toOpening } from './sse';
import { GRACE_MS } from './client-stream';
import { startTicking } from '../live/tick';
import type { Diagnosis } from '../db/diagnose';

export type Instance = {
	/** Scans the view if no client watched it; resolves at once before the first reading. */
	ready(view: ViewSpec): Promise<void>;
	/**
	 * The whole state of a view at the ring's head: what `reset` would carry now. Takes no query. Empty before the first
	 * reading, and when the view is not ready.
	 * @param view default: everything
	 */
	state(view?: ViewSpec): DashboardState;
	/**
	 * The values of one of the view's breakdowns that have `text` in them, most frequent first. Counts may be a moment ahead
	 * of the frames.
	 */
	values(view: ViewSpec, dimension: Dimension, text: string, length: number): Promise<Values>;
	/** The view is there, or is about to be: showing it costs nothing more. */
	knows(view: ViewSpec): boolean;
	/** How many different views clients watch. */
	watchedViews(): number;
	status(): Ping;
	/** Tells every client the status now, instead of with the next ping. */
	announce(): void;
	/** Looks at the table and at NOTIFY now, instead of when it is due: while no client watches, that is rarely. */
	look(): void;
	/** What is missing before this process can serve; empty when ready. */
	missing(): string[];
	/**
	 * A client's body of `text/event-stream`.
	 * @param cursor what the client says it has, unparsed
	 */
	open: Clients['open'];
	/** What happened since the start, and what is there now. */
	counts(): Counts;
	/** null: none is configured */
	relay(): RelayStatus | null;
	/** Rows that no page can show, since the start. */
	skipped: Pick<SkippedRows, 'count' | 'part'>;
	/** What live queries cost, for the status page. */
	viewCosts(): HealthPart;
	/** Sends every client away with a `bye` of its own, a slice at a time; new ones at once. */
	dismiss: Clients['dismiss'];
	stop(): Promise<void>;
};

/** See the parts that count. */
export type Counts = ReturnType<Broadcast['counts']> &
	ReturnType<Clients['counts']> &
	ReturnType<ReadingLoop['counts']> & {
		/** published since the first reading, also those that frames omit */
		events: number;
		/** when a tick was last recorded, as `performance.now()` says; null: not yet */
		tickedAt: number | null;
	};

/** What a native EventSource waits before it comes back; our store has delays of its own. */
const RETRY_MS = 2_000;
/** After a `bye` clients come back spread over this time. */
const BYE_SPREAD_MS = 3_000;

/**
 * Starts reading; returns at once and begins when the database answers.
 * @param connect makes a client on the direct connection (LISTEN and snapshots do not survive a pooler)
 * @param sql a pooled client for the ticks
 * @param prepare runs before the first read, retried until it succeeds: migrations
 */
export function startInstance({
	connect,
	sql,
	prepare,
	log,
	writing = () => null,
	onTickFailed = () => {},
	onDrain = () => {},
	onDelay = () => {},
	presence = null,
	relay = null,
	frameIntervalMs = FRAME_INTERVAL_MS,
	graceMs = GRACE_MS,
	bus = createBus(),
}: {
	connect: () => Sql;
	sql: Sql;
	prepare: () => Promise<void>;
	log: Logger;
	/** why events are refused now, to be told beside what is known here */
	writing?: () => Diagnosis | null;
	/** a tick could not be written */
	onTickFailed?: () => void;
	/** a drain succeeded, and took so long */
	onDrain?: (ms: number) => void;
	/** events were published so long after the newest of them was inserted */
	onDelay?: (ms: number) => void;
	/** who is here; null: presence is switched off */
	presence?: PresenceReader | null;
	/** through which several processes share one reader; null: each reads for itself */
	relay?: Relay | null;
	frameIntervalMs?: number;
	/** how long an ended client may take to read the rest */
	graceMs?: number;
	bus?: Bus;
}): Instance {
	const counts: Pick<Counts, 'events' | 'tickedAt'> = { events: 0, tickedAt: null };
	const clock = createClock();
	const skipped = createSkippedRows(log);
	const costs = createViewCosts();
	const { put, broadcast, busyMs, counts: countFrames } = createBroadcast(bus);
	const watched = createWatchedViews();
	// a page is rendered before its stream comes: frames are made for it meanwhile
	watched.watch(ALL);

	const reading = createReading({
		prepare,
		clock,
		watched,
		broadcast,
		onEvents(count, delayMs) {
			counts.events += count;
			if (delayMs !== null) onDelay(delayMs);
		},
		...(presence && { onRow: presence.saw }),
		skipped,
		costs,
		relay,
		log,
	});

	const standing = watchFigures(reading.counting, announce);

	const loop = startReadingLoop({
		connect,
		drain: reading.run,
		// a reader for others does not know whether they are watched
		isWatched: () => clients.size() > 0 || relay?.status().mode === 'reader',
		...(relay && { reads: relay.reads }),
		busyMs,
		frameIntervalMs,
		onChange: announce,
		onDrain,
		log,
	});

	/** an edge to which nothing comes */
	const isWaiting = () => relay?.status().mode === 'waiting';

	function status(): Ping {
		const [reading, refusing] = [loop.trouble(), writing()];
		const fix = reading?.fix ?? refusing?.fix ?? null;
		return {
			now: new Date(clock.now()).toISOString(),
			database: isWaiting() ? 'down' : loop.database(),
			listener: loop.listener(),
			reading: reading?.trouble ?? (isWaiting() ? 'relay' : null),
			writing: refusing?.trouble ?? null,
			...(fix !== null && { fix }),
			...(standing.stand() && { counting: true }),
		};
	}
	function announce() {
		put(toHeartbeat(status()));
	}
	const pinging = setInterval(announce, PING_INTERVAL_MS);

	function show({ tick, previous }: { tick: Tick; previous: Tick | null }) {
		counts.tickedAt = performance.now();
		const live = reading.live();
		if (!live) return;
		live.state.setTick(tick, previous);
		broadcast(toMetrics(live.state, watched, tick, previous));
	}

	const ticking = startTicking({
		sql,
		databaseNow: () => clock.now(),
		async figures() {
			if (loop.database() === 'down') return null;
			// its own windows move on; the tick comes from the reader
			if (relay && !relay.reads()) {
				reading.figures();
				return null;
			}
			if (loop.pending() || reading.running()) await loop.force();
			const figures = reading.figures();
			return figures && { ...figures, people: presence?.newest() ?? null };
		},
		onTick(tick, previous) {
			relay?.tick({ tick, previous });
			show({ tick, previous });
		},
		onError(error) {
			log.warn({ reason: String(error) }, 'a tick was not recorded');
			onTickFailed();
		},
	});

	relay?.start({
		clock,
		published: reading.published,
		isUp: () => loop.database() === 'up',
		onNews: loop.ring,
		onTurn: loop.turn,
		onTick: show,
	});

	const people = createPeopleFrames(presence);
	presence?.start(
		() => clients.size() > 0,
		() => {
			const live = reading.live();
			const frame = live && people.next(live.state, watched);
			if (frame) broadcast(frame);
		},
	);

	const views = createShownViews({ reading, watched, people, becomesUp: loop.becomesUp });
	const isFor = (frame: Frame, { key }: OpenView) =>
		pickFor(frame, key, watched.since(key)) !== null;
	const catchUp = createCatchUp({
		bus,
		connect,
		force: loop.force,
		published: reading.published,
		encode(batch, open, id) {
			const figures = reading.live()?.state.shown(open.key)?.figures;
			return toActivityOf(open, batch, figures, id);
		},
		isFor,
	});
	const clients = createClients({
		context: {
			bus,
			opening: () => concat(toOpening(RETRY_MS, 'nowboard'), encode('ping', status())),
			bye: () => encode('bye', { retryMs: Math.round(Math.random() * BYE_SPREAD_MS) }),
			graceMs,
		},
		watched,
		join: createSubscribe({
			bus,
			find: views.find,
			ready: views.scan,
			state: views.stateOf,
			catchUp,
			isFor,
			async failed(error) {
				log.warn({ reason: String(error) }, 'a client waits for the database to catch up');
				if (loop.database() === 'down') await loop.becomesUp();
			},
		}),
		// no client watched: the next look at the table and at NOTIFY may be far off
		onFirst: loop.look,
	});

	return {
		async ready(view) {
			await Promise.all([presence?.fresh(), views.ready(view)]);
			// it may have been dropped while the presence was read
			await views.ready(view);
		},
		state: (view = ALL) => views.state(view),
		values: views.values,
		knows: views.knows,
		watchedViews: watched.size,
		status,
		announce,
		look: loop.look,
		missing() {
			const missing: string[] = [];
			if (!reading.prepared()) missing.push('migrations');
			if (loop.database() === 'down') missing.push('database');
			if (!reading.published()) missing.push('first reading');
			if (isWaiting()) missing.push('relay');
			if (clients.dismissed()) missing.push('shutting down');
			return missing;
		},
		open: clients.open,
		counts: () => ({ ...counts, ...countFrames(), ...loop.counts(), ...clients.counts() }),
		relay: () => relay?.status() ?? null,
		skipped,
		viewCosts: () => costs.part(reading.live()?.views.size() ?? 0, watched.size()),
		dismiss: clients.dismiss,
		async stop() {
			clients.stop();
			clearInterval(pinging);
			standing.stop();
			ticking.stop();
			await relay?.stop();
			await Promise.all([loop.stop(), presence?.stop()]);
		},
	};
}
