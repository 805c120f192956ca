/**
 * `npm run simulate -- --rate 50 --url http://localhost:3000 [--key k]… [--seed n] [--duration s]`: visitors who send through
 * the public HTTP API, as anybody's product would. Every event has an id and is sent again with the same id until
 * it is acknowledged, so nothing is counted twice. `--rate` is the mean of a day; the hour, crowds and quiet move it.
 * With a key everything is of its source; `--key web=… --key api=…` keeps the two sources apart.
 * `--follow` (the demo): send only while the page wants it. `npm run demo:clear` removes what was sent.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { toDemoId } from './demo/demo-data';
import { createRandom } from './visitors/random';
import { createPresence } from './visitors/presence';
import { createRhythm } from './visitors/rhythm';
import { createSender, tell } from './visitors/send';
import { createVisitors, WARM_UP_MS } from './visitors/visitors';

/** Short enough that a slow rate looks like single visitors, long enough to group at a high one. */
const STEP_MS = 50;
const FOLLOW_INTERVAL_MS = 1_000;
const USAGE =
	'npm run simulate -- --rate 50 --url http://localhost:3000 [--key k]… [--seed n] [--duration seconds]';

const { values } = parseArgs({
	options: {
		rate: { type: 'string', default: '5' },
		url: { type: 'string', default: 'http://localhost:3000' },
		key: { type: 'string', multiple: true, default: [] as string[] },
		seed: { type: 'string', default: String(randomInt(1_000_000)) },
		duration: { type: 'string', default: 'Infinity' },
		follow: { type: 'boolean', default: false },
	},
});
const rate = parseNumber('rate', values.rate);
if (rate === 0) fail('rate', values.rate, 'must be above 0');
const durationMs = parseNumber('duration', values.duration) * 1000;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const random = createRandom(parseNumber('seed', values.seed));
const now = new Date();
const next = createVisitors(random, {
	ratePerS: rate,
	rhythm: createRhythm(random, now.getHours() + now.getMinutes() / 60),
	warmUpMs: WARM_UP_MS,
});
const toEndpoint = (name: string) => new URL(`api/${name}`, values.url.replace(/\/*$/, '/')).href;
const endpoint = toEndpoint('events');
const present = createPresence(createRandom(parseNumber('seed', values.seed)));
/** by the source whose events they send; '' sends all others. With a key, an event names no source: the key has one */
const senders = new Map(
	['', ...values.key].map((text) => {
		const [source, key] = text.includes('=') ? text.split('=') : ['', text];
		return [source, { send: createSender(endpoint, stop.signal, key || undefined), key }] as const;
	}),
);
const web = senders.get('web') ?? senders.get('');
if (!values.follow) {
	console.log(
		`Sending about ${rate} events/s to ${values.url} (seed ${values.seed}). Ctrl-C stops.`,
	);
}
let running = true;
if (values.follow) void follow();

/** Time of the visitors: it stands still while they are switched off. */
let clockMs = 0;
let upcoming = next();
for (let last = performance.now(); !stop.signal.aborted && clockMs < durationMs;) {
	await delay(STEP_MS);
	const now = performance.now();
	if (running) clockMs += now - last;
	last = now;
	const due = new Map<string, object[]>();
	for (; upcoming.atMs <= clockMs; upcoming = next()) {
		const { event } = upcoming;
		present.saw(upcoming);
		const name = senders.has(event.source) ? event.source : '';
		const source = senders.get(name)?.key ? undefined : event.source;
		const events = due.get(name) ?? [];
		// ids of its own for every run: the same seed again must not be taken for the same events sent twice
		events.push({ eventId: toDemoId(randomUUID()), ...event, source });
		due.set(name, events);
	}
	for (const [name, events] of due) await senders.get(name)?.send.add(events);
	void tell(toEndpoint('presence'), present.due(clockMs), web?.key);
}
let accepted = 0;
for (const { send } of senders.values()) {
	await send.finish();
	accepted += send.accepted();
}
if (!values.follow) console.log(`${accepted} events were accepted.`);

async function follow(): Promise<void> {
	running = false;
	while (!stop.signal.aborted) {
		running = await isWanted();
		await delay(FOLLOW_INTERVAL_MS, undefined, { ref: false });
	}
}

async function isWanted(): Promise<boolean> {
	try {
		const response = await fetch(new URL('api/demo', values.url.replace(/\/*$/, '/')), {
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
	return fail(name, text, 'must be a number of at least 0');
}

function fail(name: string, text: string, rule: string): never {
	console.error(`--${name} is "${text}" and ${rule}.\n${USAGE}`);
	process.exit(2);
}
