/**
 * `npm run simulate -- --rate 50 --url http://localhost:3000 [--seed n] [--duration s]`: visitors who send through
 * the public HTTP API, as anybody's product would. Every event has an id and is sent again with the same id until
 * it is acknowledged, so nothing is counted twice. `--follow` (the demo): send only while the page wants it.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from './random';
import { createSender } from './send';
import { createVisitors } from './visitors';

/** Short enough that a slow rate looks like single visitors, long enough to group at a high one. */
const STEP_MS = 50;
const FOLLOW_INTERVAL_MS = 1_000;
const USAGE =
	'npm run simulate -- --rate 50 --url http://localhost:3000 [--seed n] [--duration seconds]';

const { values } = parseArgs({
	options: {
		rate: { type: 'string', default: '5' },
		url: { type: 'string', default: 'http://localhost:3000' },
		seed: { type: 'string', default: String(randomInt(1_000_000)) },
		duration: { type: 'string', default: 'Infinity' },
		follow: { type: 'boolean', default: false },
	},
});
const rate = parseNumber('rate', values.rate);
const durationMs = parseNumber('duration', values.duration) * 1000;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const random = createRandom(parseNumber('seed', values.seed));
const next = createVisitors(random);
const send = createSender(new URL('/api/events', values.url).href, stop.signal);
if (!values.follow) {
	console.log(
		`Sending about ${rate} events/s to ${values.url} (seed ${values.seed}). Ctrl-C stops.`,
	);
}
let running = true;
if (values.follow) void follow();

const started = performance.now();
for (let last = started; !stop.signal.aborted && last - started < durationMs;) {
	await delay(STEP_MS);
	const now = performance.now();
	const count = running ? arrivals((rate * (now - last)) / 1000) : 0;
	last = now;
	const events = Array.from({ length: count }, () => ({
		eventId: randomUUID(),
		source: 'simulator',
		...next(),
	}));
	if (events.length > 0) await send.add(events);
}
await send.finish();
if (!values.follow) console.log(`${send.accepted()} events were accepted.`);

/** How many arrive in a step when `mean` do on average: visitors know nothing of each other (Poisson). */
function arrivals(mean: number): number {
	let count = 0;
	for (let sum = -Math.log(1 - random()); sum < mean; sum -= Math.log(1 - random())) count++;
	return count;
}

async function follow(): Promise<void> {
	running = false;
	while (!stop.signal.aborted) {
		running = await isWanted();
		await delay(FOLLOW_INTERVAL_MS, undefined, { ref: false });
	}
}

async function isWanted(): Promise<boolean> {
	try {
		const response = await fetch(new URL('/api/demo', values.url), {
			signal: AbortSignal.timeout(5_000),
		});
		const body: unknown = await response.json();
		return (
			response.ok &&
			body !== null &&
			typeof body === 'object' &&
			'running' in body &&
			body.running === true
		);
	} catch {
		return false;
	}
}

function parseNumber(name: string, text: string): number {
	const value = Number(text);
	if (text.trim() !== '' && value >= 0) return value;
	console.error(`--${name} is "${text}" and must be a number of at least 0.\n${USAGE}`);
	process.exit(2);
}
