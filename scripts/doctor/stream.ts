/**
 * The stream as it arrives: not compressed, at once, each frame when it was sent, with a ping every 15 s, and not cut off. A proxy
 * that collects shows only in time, so this takes as long as a ping.
 */
import { createParser } from 'eventsource-parser';
import { PING_INTERVAL_MS, type Ping } from '../../src/lib/protocol';
import { readText, type Client } from './client';
import { readClock } from './clocks';
import { unseen, well, wrong, type Finding } from './finding';
import { TROUBLES } from '../../src/lib/database-troubles';

const PATH = '/api/dashboard/stream';
/** Beyond a ping's time: a slow network, and a process that is busy. */
const PATIENCE_MS = 5_000;
/** What people would call late. */
const LATE_MS = 1_500;
/** The first ping comes with the beginning; one that proves something comes later. */
const BEGINNING_MS = 2_000;

const UNBUFFER =
	'Switch buffering off for /api/dashboard/stream: "proxy_buffering off" in nginx, and nowhere "proxy_ignore_headers X-Accel-Buffering".';
const UNCOMPRESS =
	'Take text/event-stream out of what the proxy compresses: it must not be in "gzip_types", nor match "*"; where compression cannot choose, switch it off for /api/dashboard/stream.';

/** What came, with the time since the question. */
type Seen = {
	firstMs: number | null;
	pings: { ping: Ping; afterMs: number; lateMs: number }[];
	reset: boolean;
	bye: boolean;
	/** null: it was still open */
	endedMs: number | null;
};

/** @param cookie of who may look; null: as everyone */
export async function examineStream(client: Client, cookie: string | null): Promise<Finding[]> {
	const headers = { accept: 'text/event-stream', ...(cookie && { cookie }) };
	const first = await open(client, { ...headers, 'accept-encoding': 'gzip, br, zstd, deflate' });
	if (!first) return [held()];
	const { status, headers: said } = first;
	first.body.destroy();
	if (status === 401 || status === 403)
		return [
			unseen(
				'stream',
				'viewing needs the password: set DASHBOARD_PASSWORD here, as the server has it',
			),
		];
	const type = String(said['content-type'] ?? 'no type');
	if (status !== 200 || !type.startsWith('text/event-stream'))
		return [
			wrong(
				'stream',
				`the answer is ${status}, ${type}`,
				'Look which way the proxy takes for /api/dashboard/stream.',
			),
		];
	const encoding = said['content-encoding'];
	const findings = [
		encoding
			? wrong(
					'compression',
					`the stream is compressed on the way (${encoding}): frames wait for each other`,
					UNCOMPRESS,
				)
			: well('compression', 'none'),
	];
	const clock = await readServerTime(client, cookie);
	const seen = await watch(client, headers, clock);
	if (seen?.bye)
		return [
			...findings,
			wrong('stream', 'the server is just ending', 'Look again when it is back.'),
		];
	return [...findings, ...(seen ? judge(seen) : [held()])];
}

function held(): Finding {
	return wrong(
		'delay',
		'nothing comes of the stream, not even its headers: a proxy waits for more',
		UNBUFFER,
	);
}

/** Resolves to null when the headers do not come. */
function open(client: Client, headers: Record<string, string>) {
	return client.ask(PATH, { headers }).catch(() => null);
}

/** How far what the server says is from our clock. */
function readServerTime(client: Client, cookie: string | null) {
	return readClock(async () => {
		const answer = await client.ask('/api/dashboard/status', { headers: cookie ? { cookie } : {} });
		return Date.parse((JSON.parse(await readText(answer)) as Ping).now);
	});
}

async function watch(
	client: Client,
	headers: Record<string, string>,
	clock: { aheadMs: number; errorMs: number },
): Promise<Seen | null> {
	const started = performance.now();
	const seen: Seen = { firstMs: null, pings: [], reset: false, bye: false, endedMs: null };
	const answer = await open(client, headers);
	if (!answer) return null;
	const since = () => performance.now() - started;
	const parser = createParser({
		onEvent({ event, data }) {
			if (event === 'reset') seen.reset = true;
			if (event === 'bye') seen.bye = true;
			if (event !== 'ping') return;
			const ping = JSON.parse(data) as Ping;
			const lateMs = Date.now() + clock.aheadMs - Date.parse(ping.now) - clock.errorMs;
			seen.pings.push({ ping, afterMs: since(), lateMs });
		},
	});
	const decoder = new TextDecoder();
	await new Promise<void>((resolve) => {
		const timer = setTimeout(resolve, PING_INTERVAL_MS + PATIENCE_MS);
		const end = () => {
			clearTimeout(timer);
			resolve();
		};
		answer.body.on('data', (chunk: Buffer) => {
			seen.firstMs ??= since();
			parser.feed(decoder.decode(chunk, { stream: true }));
			if (seen.pings.some(({ afterMs }) => afterMs > BEGINNING_MS)) end();
		});
		for (const event of ['end', 'close', 'error'])
			answer.body.once(event, () => {
				seen.endedMs ??= since();
				end();
			});
	});
	const { endedMs } = seen;
	answer.body.destroy();
	return { ...seen, endedMs };
}

function judge({ firstMs, pings, reset, endedMs }: Seen): Finding[] {
	const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
	const last = pings.at(-1);
	const proof = pings.find(({ afterMs }) => afterMs > BEGINNING_MS);
	const findings: Finding[] = [];
	const late = pings.find(({ lateMs }) => lateMs > LATE_MS);
	if (firstMs === null || firstMs > BEGINNING_MS || !reset)
		findings.push(
			wrong(
				'delay',
				firstMs === null
					? 'nothing comes of the stream'
					: `the stream begins after ${seconds(firstMs)}${reset ? '' : ', and without the state'}`,
				UNBUFFER,
			),
		);
	else if (late)
		findings.push(
			wrong(
				'delay',
				`a frame comes ${seconds(late.lateMs)} after it was sent: a proxy collects`,
				UNBUFFER,
			),
		);
	else if (proof)
		findings.push(
			well(
				'delay',
				`the stream begins after ${Math.round(firstMs)} ms, and a ping comes within ${Math.max(0, Math.round(proof.lateMs))} ms`,
			),
		);

	if (proof) findings.push(well('heartbeat', 'a ping came when it was due'));
	else if (endedMs !== null)
		findings.push(
			wrong(
				'heartbeat',
				`the stream is cut off after ${seconds(endedMs)}, before the first ping`,
				'Let the proxy wait longer than 15 s between two pieces: "proxy_read_timeout 60s" in nginx.',
			),
		);
	else
		findings.push(
			wrong(
				'heartbeat',
				`no ping comes within ${seconds(PING_INTERVAL_MS + PATIENCE_MS)}: a proxy collects`,
				UNBUFFER,
			),
		);
	if (last) findings.push(...judgeState(last.ping));
	return findings;
}

/** What the server says of itself. */
function judgeState({ database, listener, reading, writing, fix }: Ping): Finding[] {
	const trouble = reading ?? writing;
	if (trouble)
		return [
			wrong(
				'server',
				`it cannot ${reading ? 'read' : 'write'}: ${TROUBLES[trouble].says}`,
				(fix ?? TROUBLES[trouble].fix) || 'Wait, and look into the server’s log.',
			),
		];
	if (database === 'up' && listener === 'deaf')
		return [
			wrong(
				'server',
				'it does not hear NOTIFY, and polls: most often a pooler is in the way',
				'Set DATABASE_DIRECT_URL where the server runs, to the address without the pooler (docs/deploy/pooled-database.md).',
			),
		];
	return [well('server', 'it reads, writes and hears NOTIFY')];
}
