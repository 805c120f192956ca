import fc, { casesOf } from '../../../tests/setup/fast-check';
import { describe, expect, test } from 'vitest';
import { WATCHDOG_MS } from '../protocol';
import {
	MAX_ATTEMPTS_PER_MINUTE,
	MAX_BYE_MS,
	ONLINE_JITTER_MS,
	PROBE_MS,
	WAKE_GRACE_MS,
	isOpen,
	toConnection,
	toEffects,
	toNext,
	toRetryAt,
	toStatus,
	type Connection,
	type Input,
	type Moment,
	type Phase,
} from './connection';

const NOW = 1_000_000;
const at = (now: number, random = 0): Moment => ({ now, random });
const inPhase = (phase: Phase, more: Partial<Connection> = {}): Connection => ({
	...toConnection(3),
	phase,
	deadline: ['idle', 'offline', 'hidden'].includes(phase) ? null : NOW + 10,
	...more,
});
const PHASES: Phase[] = ['idle', 'connecting', 'live', 'waiting', 'offline', 'failed', 'hidden'];
// prettier-ignore
const PLAIN_INPUTS = ['subscribe', 'release', 'opened', 'event', 'errored', 'elapsed', 'online', 'offline', 'hidden',
	'shown', 'pagehide', 'pageshow', 'retry'] as const;
const STORM = (
	['subscribe', 'retry', 'errored', 'online', 'shown', 'pagehide', 'pageshow'] as const
).map((type): Input => ({ type }));
const INPUTS: Input[] = [
	...PLAIN_INPUTS.map((type): Input => ({ type })),
	{ type: 'bye', retryMs: 400 },
];

describe('the table', () => {
	test('every phase answers every input as listed here', () => {
		const rows = INPUTS.map((input) =>
			[input.type, ...PHASES.map((phase) => toCell(inPhase(phase), input))]
				.map((cell) => cell.padEnd(22))
				.join('')
				.trimEnd(),
		);
		// the phase that follows; +/− a stream is opened or closed, ? the server is asked why
		expect('\n' + rows.join('\n') + '\n').toMatchInlineSnapshot(`
			"
			subscribe             connecting +          ·                     ·                     ·                     ·                     ·                     ·
			release               ·                     idle −                idle −                idle                  idle                  idle                  idle
			opened                ·                     live                  ·                     ·                     ·                     ·                     ·
			event                 ·                     live                  live                  ·                     ·                     ·                     ·
			errored               ·                     waiting −?            waiting −?            ·                     ·                     ·                     ·
			elapsed               ·                     waiting −?            waiting −?            connecting +          ·                     connecting +          ·
			online                ·                     connecting            live                  waiting               waiting               waiting               hidden
			offline               ·                     offline −             offline −             offline               ·                     offline               hidden
			hidden                hidden                hidden −              hidden −              hidden                hidden                hidden                ·
			shown                 ·                     ·                     ·                     connecting +          ·                     connecting +          connecting +
			pagehide              ·                     hidden −              hidden −              hidden                hidden                hidden                ·
			pageshow              ·                     ·                     ·                     connecting +          ·                     connecting +          connecting +
			retry                 ·                     ·                     ·                     connecting +          connecting +          connecting +          ·
			bye                   ·                     waiting −             waiting −             ·                     ·                     ·                     ·
			"
		`);
	});

	test('a machine that believes itself offline does not attempt again by itself', () => {
		const offline = { online: false };
		expect([
			toNext(inPhase('connecting', offline), { type: 'errored' }, at(NOW)).phase,
			toNext(inPhase('hidden', offline), { type: 'shown' }, at(NOW)).phase,
			toNext(inPhase('hidden', offline), { type: 'pageshow' }, at(NOW)).phase,
		]).toEqual(['offline', 'offline', 'offline']);
	});

	test('nothing but an event overrules what the browser says about the network, and a first look is always allowed', () => {
		const heard = toNext(inPhase('live', { online: false }), { type: 'event' }, at(NOW));
		const begun = toNext(inPhase('idle', { online: false }), { type: 'subscribe' }, at(NOW));
		expect([heard.online, begun.phase]).toEqual([true, 'connecting']);
	});
});

describe('failures', () => {
	test('a received event, not an opened stream, resets the count', () => {
		let connection = inPhase('connecting', { attempt: 2 });
		connection = toNext(connection, { type: 'opened' }, at(NOW));
		expect(connection).toMatchObject({ phase: 'live', attempt: 2 });
		expect(toNext(connection, { type: 'event' }, at(NOW)).attempt).toBe(0);
	});

	test('each failure in a row waits longer, and after the last it is failed and probes slowly', () => {
		let connection = toNext(toConnection(3), { type: 'subscribe' }, at(NOW));
		const seen: unknown[] = [];
		let now = NOW;
		for (let i = 0; i < 4; i++) {
			connection = toNext(connection, { type: 'errored' }, at(now, 1));
			seen.push([toStatus(connection), connection.attempt, (toRetryAt(connection) ?? 0) - now]);
			now = connection.deadline ?? now;
			connection = toNext(connection, { type: 'elapsed' }, at(now));
			seen.push(toStatus(connection));
		}
		expect(seen).toEqual([
			['waiting', 1, 1_000],
			'connecting',
			['waiting', 2, 2_000],
			'connecting',
			['failed', 3, PROBE_MS],
			'failed',
			['failed', 4, PROBE_MS],
			'failed',
		]);
	});

	test('a failed connection comes back by a probe, without being touched', () => {
		const probing = toNext(inPhase('failed', { attempt: 3 }), { type: 'elapsed' }, at(NOW));
		expect(toStatus(toNext(probing, { type: 'event' }, at(NOW)))).toBe('live');
	});

	test('a network that comes back is tried at once, spread over half a second, with a new count', () => {
		const waiting = toNext(inPhase('offline', { attempt: 7 }), { type: 'online' }, at(NOW, 0.5));
		expect(waiting).toMatchObject({
			phase: 'waiting',
			attempt: 0,
			deadline: NOW + ONLINE_JITTER_MS / 2,
		});
	});

	test('bye is no failure and names its own delay, within bounds', () => {
		const waits = [400, -5, 1e12].map((retryMs) => {
			const next = toNext(inPhase('live', { attempt: 2 }), { type: 'bye', retryMs }, at(NOW));
			return [next.phase, next.attempt, (next.deadline ?? 0) - NOW];
		});
		expect(waits).toEqual([
			['waiting', 0, 400],
			['waiting', 0, 0],
			['waiting', 0, MAX_BYE_MS],
		]);
	});

	test('a thirteenth attempt within a minute waits until the minute has room', () => {
		const attempts = Array.from({ length: MAX_ATTEMPTS_PER_MINUTE }, (_, i) => NOW - 50_000 + i);
		const next = toNext(inPhase('waiting', { attempts }), { type: 'retry' }, at(NOW));
		expect(next).toMatchObject({ phase: 'waiting', deadline: NOW + 10_000 });
		expect(toNext(next, { type: 'elapsed' }, at(NOW + 10_000)).phase).toBe('connecting');
	});

	test('whom the minute refuses an attempt while offline stays offline', () => {
		const attempts = Array.from({ length: MAX_ATTEMPTS_PER_MINUTE }, () => NOW - 1);
		const offline = inPhase('offline', { attempts, online: false });
		expect(toNext(offline, { type: 'retry' }, at(NOW)).phase).toBe('offline');
	});

	test('a clock that was set back does not forbid attempts', () => {
		const attempts = Array.from({ length: MAX_ATTEMPTS_PER_MINUTE }, () => NOW + 3_600_000);
		expect(toNext(inPhase('waiting', { attempts }), { type: 'elapsed' }, at(NOW)).phase).toBe(
			'connecting',
		);
	});
});

describe('silence', () => {
	test('a watchdog in time takes the stream for dead', () => {
		const silent = inPhase('live', { deadline: NOW });
		expect(toNext(silent, { type: 'elapsed' }, at(NOW)).phase).toBe('waiting');
	});

	test('a watchdog that slept gives queued data a moment, once', () => {
		const silent = inPhase('live', { deadline: NOW - 3_600_000 });
		const woken = toNext(silent, { type: 'elapsed' }, at(NOW));
		expect(woken).toMatchObject({ phase: 'live', deadline: NOW + WAKE_GRACE_MS });
		expect(toNext(woken, { type: 'event' }, at(NOW + 5)).deadline).toBe(NOW + 5 + WATCHDOG_MS);
		expect(toNext(woken, { type: 'elapsed' }, at(NOW + WAKE_GRACE_MS)).phase).toBe('waiting');
	});

	test.each(['shown', 'pageshow', 'online'] as const)(
		'%s shortens an overdue silence to the grace, and leaves a healthy stream alone',
		(type) => {
			const overdue = toNext(inPhase('live', { deadline: NOW - 1 }), { type }, at(NOW));
			const healthy = toNext(inPhase('live', { deadline: NOW + 9 }), { type }, at(NOW));
			expect([overdue.deadline, healthy.deadline]).toEqual([NOW + WAKE_GRACE_MS, NOW + 9]);
		},
	);
});

describe('whatever happens in whatever order', () => {
	test('it never holds two streams, stays quiet while offline, keeps to its rate, and always comes back', () => {
		fc.assert(
			fc.property(fc.boolean(), histories, (dead, history) => {
				expect(play(toNext, toEffects, dead, history)).toEqual([]);
			}),
			{ numRuns: casesOf({ short: 10_000, long: 100_000 }) },
		);
	});

	test('a client that trusts `opened` and reconnects like a native EventSource breaks these rules', () => {
		// the negative control: 3 s after every end a new stream, at once on every sign of life, nothing closed before
		const naive = (c: Connection, input: Input, { now }: Moment): Connection => {
			if (input.type === 'errored') return { ...c, phase: 'waiting', deadline: now + 3_000 };
			if (['subscribe', 'online', 'shown', 'pageshow', 'retry', 'elapsed'].includes(input.type))
				return { ...c, phase: 'connecting', attempts: [now], deadline: now + WATCHDOG_MS };
			return c;
		};
		const effects = (before: Connection, after: Connection) => {
			if (after.phase === 'waiting' && before.phase !== 'waiting') return ['close'];
			return before.attempts === after.attempts ? [] : ['open'];
		};
		const broken = fc
			.sample(histories, { numRuns: 2_000, seed: 1 })
			.flatMap((history) => play(naive, effects, true, history));
		expect([...new Set(broken)].sort()).toEqual([
			'attempt while offline',
			'does not come back',
			'more than 12 attempts in a minute',
			'phase and stream disagree',
			'two streams',
		]);
	});
});

/** The phase after an input, and what it asks for. */
function toCell(before: Connection, input: Input): string {
	const after = toNext(before, input, at(NOW));
	const marks = { open: '+', close: '−', diagnose: '?' };
	const effects = toEffects(before, after).map((effect) => marks[effect]);
	return after === before ? '·' : `${after.phase} ${effects.join('')}`.trim();
}

type Happening = {
	input: Input;
	after: number;
	random: number;
	/** the machine slept meanwhile: what fell due comes late, after the input */
	slept?: boolean;
};
const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const bye = (max: number) => fc.record({ type: fc.constant('bye' as const), retryMs: fc.nat(max) });
const histories: fc.Arbitrary<Happening[]> = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.array(
			fc.record({
				input: fc.oneof(
					fc.constantFrom<Input>(...INPUTS),
					fc.constant<Input>({ type: 'errored' }),
					bye(2_000),
				),
				after: fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(120_000)),
				slept: fc.nat(9).map((n) => n === 0),
				random,
			}),
			{ maxLength: 40 },
		),
	},
	// a storm of what makes a client attempt again
	{
		weight: 1,
		arbitrary: fc.array(
			fc.record({
				input: fc.oneof(fc.constantFrom<Input>(...STORM), bye(20)),
				after: fc.nat(300),
				random,
			}),
			{ minLength: 30, maxLength: 90 },
		),
	},
);

/**
 * Plays a history against a fake clock, whose timer fires when due or, after sleep, late, and a world that counts open streams; against a dead
 * server every attempt errs after 5 ms. At the end all is well again, and the client must be live within five minutes.
 * @returns the rules that were broken
 */
function play(
	next: typeof toNext,
	effectsOf: (before: Connection, after: Connection) => readonly string[],
	dead: boolean,
	history: Happening[],
): string[] {
	const broken = new Set<string>();
	const attempts: number[] = [];
	let connection = toConnection(4);
	let now = NOW;
	let open = 0;
	let refused = 0;
	let offline = false;

	const give = (input: Input, random: number): void => {
		const before = connection;
		connection = next(before, input, { now, random });
		if (input.type === 'online' || ((input.type === 'event' || input.type === 'bye') && open > 0))
			offline = false;
		if (input.type === 'offline') offline = before.phase !== 'idle';
		if (input.type === 'subscribe' && before.phase === 'idle') offline = false;
		const asked = input.type === 'retry';
		for (const effect of effectsOf(before, connection)) {
			if (effect === 'close') open--;
			if (effect !== 'open') continue;
			open++;
			attempts.push(now);
			if (offline && !asked) broken.add('attempt while offline');
			if (attempts.filter((time) => now - time < 60_000).length > 12)
				broken.add('more than 12 attempts in a minute');
		}
		if (open > 1) broken.add('two streams');
		if (open > 0 !== isOpen(connection.phase)) broken.add('phase and stream disagree');
	};
	const pass = (ms: number, random: number): void => {
		const end = now + ms;
		for (;;) {
			const refusal = dead && refused < attempts.length ? (attempts.at(-1) ?? 0) + 5 : Infinity;
			const due = Math.min(refusal, connection.deadline ?? Infinity);
			if (due > end) break;
			now = Math.max(now, due);
			if (refusal === due) refused = attempts.length;
			give({ type: refusal === due ? 'errored' : 'elapsed' }, random);
		}
		now = end;
	};

	for (const { input, after, random, slept } of history) {
		if (slept) now += after;
		else pass(after, random);
		const ofStream = ['opened', 'event', 'errored', 'bye'].includes(input.type);
		if (!ofStream || (open > 0 && !dead)) give(input, random);
	}
	dead = false;
	for (const type of ['subscribe', 'online', 'shown'] as const) give({ type }, 0.5);
	for (let i = 0; i < 5 && open === 0; i++) pass(60_000, 0.5);
	if (open > 0) give({ type: 'event' }, 0.5);
	if (toStatus(connection) !== 'live') broken.add('does not come back');
	return [...broken];
}
