/** The parts of a server in words: how each is, and one number about it. Pure. */
import { DEFAULT_LOOK, toCount, toDuration, type Look } from '../../format';
import type { Health, HealthState, Minute } from '../../health';
import { toWords } from './notice';

export type Part = {
	name: string;
	state: HealthState;
	/** one or two sentences */
	words: string;
	/** beside the name; empty: there is none */
	figure: string;
};

export const STATE_WORDS: Record<HealthState, string> = {
	starting: 'starting',
	fine: 'fine',
	degraded: 'late',
	broken: 'broken',
};

/** A tick is written at least once a minute, while the database can be read. */
const LATE_TICK_MS = 150_000;
/** A timer that is this late: people would notice. */
const LATE_MS = 500;

/** What the page says in one sentence. @param failure why the server did not answer the last question */
export function toHeadline(health: Health, failure: string | null): string {
	if (failure !== null) return failure;
	if (health.missing.includes('shutting down')) return 'This process is shutting down.';
	if (health.reading !== null) return toWords(health.reading, health.fix);
	if (health.writing !== null) return toWords(health.writing, health.fix);
	const broken = health.more.find(({ state }) => state === 'broken');
	if (broken) return broken.words;
	return {
		starting: 'This process is starting.',
		fine: 'Everything works.',
		degraded: 'Everything works, some of it later than usual.',
		broken: 'Postgres is not answering.',
	}[health.state];
}

/** @param look how the viewer writes numbers */
export function toParts(health: Health, look: Look = DEFAULT_LOOK): Part[] {
	return [
		database(health, look),
		notify(health),
		reading(health, look),
		writing(health, look),
		ticks(health, look),
		streams(health, look),
		process(health, look),
		...health.more,
	];
}

/** Down before the first reading is starting, not broken. */
const downState = ({ state }: Health) => (state === 'starting' ? 'starting' : 'broken');

function database(health: Health, look: Look): Part {
	const { database, reading, readMs, fix } = health;
	if (database === 'up')
		return {
			name: 'Postgres',
			state: 'fine',
			words: 'It answers.',
			figure: readMs === null ? '' : `${toMs(readMs, look)} a read`,
		};
	const state = downState(health);
	const words = reading ? toWords(reading, fix) : 'Not reached yet.';
	return { name: 'Postgres', state, words, figure: '' };
}

function notify({ listener, database, state }: Health): Part {
	const part = { name: 'NOTIFY', figure: '' };
	if (listener === 'up') return { ...part, state: 'fine', words: 'Notifications arrive.' };
	if (database === 'down')
		return {
			...part,
			state: state === 'starting' ? 'starting' : 'broken',
			words: 'Not connected.',
		};
	const words =
		'Notifications do not arrive, so the table is polled four times a second. Behind a pooler, set DATABASE_DIRECT_URL.';
	return { ...part, state: 'degraded', words };
}

function reading(health: Health, look: Look): Part {
	const { database, readAgoMs, minutes } = health;
	const measured = minutes.findLast(({ p50Ms }) => p50Ms !== null);
	const figure = measured?.p50Ms == null ? '' : `${toMs(measured.p50Ms, look)} behind`;
	const ago = readAgoMs === null ? '' : ` Last read ${toDuration(readAgoMs, look)} ago.`;
	if (database === 'down') {
		const words = `Pages stand still, and continue without a gap.${ago}`;
		return { name: 'Reading', state: downState(health), words, figure: '' };
	}
	return { name: 'Reading', state: 'fine', words: `Everything committed is shown.${ago}`, figure };
}

function writing(health: Health, look: Look): Part {
	const { database, writing, heldEvents, fix } = health;
	const figure = heldEvents > 0 ? `${toCount(heldEvents, look)} wait` : '';
	const refused = 'Events sent now are rejected. Senders can retry.';
	if (writing !== null)
		return {
			name: 'Writing',
			state: 'broken',
			words: `${toWords(writing, fix)} ${refused}`,
			figure,
		};
	if (database === 'down')
		return { name: 'Writing', state: downState(health), words: refused, figure };
	return { name: 'Writing', state: 'fine', words: 'Events are accepted.', figure };
}

function ticks(health: Health, look: Look): Part {
	const { database, tickAgoMs } = health;
	const name = 'Ticks';
	const figure = tickAgoMs === null ? '' : `${toDuration(tickAgoMs, look)} ago`;
	if (database === 'down')
		return { name, state: downState(health), words: 'The chart has a gap from here on.', figure };
	if (tickAgoMs === null) return { name, state: 'starting', words: 'None recorded yet.', figure };
	if (tickAgoMs > LATE_TICK_MS)
		return { name, state: 'degraded', words: 'No data recorded for several minutes.', figure };
	return { name, state: 'fine', words: 'Recorded when a figure changes.', figure };
}

function streams({ clients, ring, missing }: Health, look: Look): Part {
	const share = Math.round(
		100 * Math.max(ring.frames / ring.maxFrames, ring.bytes / ring.maxBytes),
	);
	const leaving = missing.includes('shutting down');
	return {
		name: 'Streams',
		state: leaving ? 'broken' : 'fine',
		words: leaving
			? 'Shutting down: disconnecting viewers.'
			: `${toCount(ring.frames, look)} frames are kept for pages that reconnect (${toCount(share, look)} % of the limit).`,
		figure: `${toCount(clients, look)} ${clients === 1 ? 'page' : 'pages'}`,
	};
}

function process({ memoryBytes, minutes }: Health, look: Look): Part {
	const lateMs = minutes.at(-1)?.lateMs ?? 0;
	const late = lateMs > LATE_MS;
	return {
		name: 'Process',
		state: late ? 'degraded' : 'fine',
		words: late
			? `Busy: a timer ran ${toDuration(lateMs, look)} late.`
			: `Timers at most ${toDuration(lateMs, look)} late in this minute.`,
		figure: `${toCount(memoryBytes / 1024 / 1024, look)} MB`,
	};
}

function toMs(ms: number, look: Look): string {
	return ms < 1 ? `under ${toCount(1, look)} ms` : toDuration(ms, look);
}

/** A line of the last hour: one bar for each minute. */
export type HourLine = {
	title: string;
	/** what the newest minute says */
	now: string;
	/** the largest of the hour */
	most: string;
	/** null: nothing is known; `inner` is the highlighted part of the bar. Heights from 0 to 1 */
	bars: ({ height: number; inner?: number; title: string } | null)[];
};

const MINUTES = 60;
const MINUTE_MS = 60_000;
/** Told by height, not by colour: well is a line, broken a wall. */
const HEIGHT: Record<HealthState, number> = { starting: 0.3, fine: 0.1, degraded: 0.5, broken: 1 };

/** @param toClock the time of a minute, as the viewer writes it */
export function toHourLines(
	minutes: readonly Minute[],
	toClock: (at: number) => string,
	look: Look = DEFAULT_LOOK,
): HourLine[] {
	const say = (value: number) => toCount(value, look);
	const sayMs = (value: number) => toMs(value, look);
	const last = minutes.at(-1);
	const newest = last ? Date.parse(last.at) : 0;
	const slots: (Minute | null)[] = Array.from({ length: MINUTES }, () => null);
	for (const minute of minutes) {
		const index = MINUTES - 1 - Math.round((newest - Date.parse(minute.at)) / MINUTE_MS);
		if (index >= 0) slots[index] = minute;
	}

	function line(
		title: string,
		value: (minute: Minute) => number | null,
		say: (value: number) => string,
		inner?: (minute: Minute) => number | null,
	): HourLine {
		const most = Math.max(0, ...minutes.map((minute) => value(minute) ?? 0));
		return {
			title,
			now: last ? sayOr(value(last), say) : '',
			most: most > 0 ? say(most) : '',
			bars: slots.map((minute) => {
				const of = minute && value(minute);
				if (!minute || of === null) return null;
				const within = inner?.(minute);
				return {
					height: most > 0 ? of / most : 0,
					...(within != null && { inner: most > 0 ? within / most : 0 }),
					title: `${toClock(Date.parse(minute.at))}: ${within == null ? '' : `${say(within)}, `}${say(of)}`,
				};
			}),
		};
	}

	const state: HourLine = {
		title: 'State',
		now: last ? STATE_WORDS[last.state] : '',
		most: '',
		bars: slots.map(
			(minute) =>
				minute && {
					height: HEIGHT[minute.state],
					title: `${toClock(Date.parse(minute.at))}: ${STATE_WORDS[minute.state]}`,
				},
		),
	};
	return [
		state,
		line(
			'Delay (p99)',
			({ p99Ms }) => p99Ms,
			sayMs,
			({ p50Ms }) => p50Ms,
		),
		line('Pages open', ({ clients }) => clients, say),
		line('Events', ({ events }) => events, say),
		line('Refused', ({ rejected }) => rejected, say),
	];
}

function sayOr(value: number | null, say: (value: number) => string): string {
	return value === null ? '–' : say(value);
}
