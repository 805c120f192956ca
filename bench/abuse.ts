/**
 * Measures honest viewers beside an abusive client at full speed: their delay before and during the abuse, the answers that honest
 * clients get, the rows written, and the memory left behind. Everything runs on this machine. Exits with 1 when a bound of
 * load/abuse-verdict.ts is broken (p99 of the viewers: 150 ms).
 *
 * npm run bench:abuse -- [--seconds 600] [--calm 60] [--viewers 100] [--half-open 2000] [--only "wrong key,no key"] [--save]
 * (needs `npm run build` before)
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { createKey } from '../src/lib/server/keys/key-store';
import { createToken } from '../src/lib/server/access/viewer-token';
import { countTables, findUnexplained, NOTHING_GRANTED } from '../tests/fuzz/tables';
import { findAbuseProblems, HEAP_LEFT, MAX_P99_MS, RESIDENT_LEFT } from './load/abuse-verdict';
import { ATTACK_NAMES, HASTY, type AbuseOrder, type AbuseReport } from './load/attacks';
import { HONEST_SOURCE, startPolite } from './load/honest';
import { startLoad } from './load/load';
import { publishFor } from './setup/measure';
import { createNumbers, insertNumbers } from './setup/numbers';
import { cpuMs, rssBytes } from './load/process-usage';
import { tell } from './report/result';
import { provideDatabase, startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		seconds: { type: 'string', default: '600' },
		calm: { type: 'string', default: '60' },
		viewers: { type: 'string', default: '100' },
		'half-open': { type: 'string', default: '2000' },
		only: { type: 'string', default: ATTACK_NAMES.filter((name) => !HASTY.includes(name)).join() },
		save: { type: 'boolean' },
	},
});
const RATE = { times: 10, events: 1 };
/** Beside the flood: viewers, attacks, files of Node itself. */
const OTHER_FILES = 1_000;
/** Refused clients are remembered for a minute at most. */
const REST_MS = 80_000;
const REST_STEP_MS = 2_000;

const halfOpen = Number(values['half-open']);
const attacks = values.only.split(',').map((name) => name.trim());
for (const name of attacks)
	if (!ATTACK_NAMES.includes(name))
		throw new Error(`--only names "${name}": it must be of ${ATTACK_NAMES.join(', ')}.`);
const files = openFiles();
if (files < halfOpen + OTHER_FILES)
	throw new Error(
		`a process may open ${files} files: ${halfOpen} half-open connections need ${halfOpen + OTHER_FILES} (ulimit -n).`,
	);

const target = await startTarget(await provideDatabase(), {
	INGEST_OPEN: 'false',
	DASHBOARD_PUBLIC: 'false',
	DASHBOARD_PASSWORD: 'a password for the abused',
	LOG_LEVEL: 'fatal',
});
const sql = connect(target.databaseUrl, { max: 4 });
const load = startLoad();
const abuser = fork(fileURLToPath(new URL('./load/abuser.ts', import.meta.url)), {
	execArgv: ['--import', 'tsx'],
});
const numbers = createNumbers();
const server = { publish: (from: number, count: number) => insertNumbers(sql, from, count) };

const order = (one: AbuseOrder) => void abuser.send(one);
async function ask(one: AbuseOrder): Promise<AbuseReport> {
	const answer = once(abuser, 'message');
	order(one);
	return (await answer)[0] as AbuseReport;
}

/** Of people who have given the password, each in a browser of their own. */
async function makeSessions(count: number): Promise<string[]> {
	const made = Array.from({ length: count }, createToken);
	await sql`
		insert into nowboard.sessions (hash, expires_at)
		select hash, now() + interval '1 day' from jsonb_array_elements_text(${sql.json(made.map(({ hash }) => hash))}) hash`;
	return made.map(({ token }) => token);
}

async function measure(seconds: number) {
	await load.ask('begin', null);
	const from = numbers.next();
	const cpu = cpuMs(target.pid);
	const abuserCpu = cpuMs(abuser.pid as number);
	const started = performance.now();
	await publishFor(server, numbers, RATE, seconds);
	await load.ask('until', { upTo: numbers.next() - 1, withinMs: 20_000 });
	const ms = performance.now() - started;
	const share = (cpuMs(target.pid) - cpu) / ms;
	const abuserShare = (cpuMs(abuser.pid as number) - abuserCpu) / ms;
	const seen = await load.ask('report', { from, to: numbers.next() });
	return { ...seen, ms, share, abuserShare };
}

async function rowsBySource(): Promise<Record<string, number>> {
	const rows = await sql<{ source: string; count: string }[]>`
		select source, count(*) from nowboard.events group by source`;
	return Object.fromEntries(rows.map(({ source, count }) => [source, Number(count)]));
}

/** Until counts of unauthenticated clients have expired. */
async function rest(before: number): Promise<number> {
	let after = (await target.probe()).heapUsed;
	for (let waited = 0; waited < REST_MS && after - before > HEAP_LEFT / 2; waited += REST_STEP_MS) {
		await pause(REST_STEP_MS);
		after = (await target.probe()).heapUsed;
	}
	return after;
}

try {
	const sessions = await makeSessions(Number(values.viewers) + 1);
	const { key } = await createKey(
		sql,
		{ kind: 'secret', source: HONEST_SOURCE, name: HONEST_SOURCE, origins: [] },
		'command',
	);
	const tables = await countTables(sql);
	const since = performance.now();
	const { failed } = await load.ask('open', {
		url: `${target.url}/api/dashboard/stream`,
		count: Number(values.viewers),
		atOnce: 50,
		joins: 'state',
		cookies: sessions.slice(1).map((token) => `nowboard_viewer=${token}`),
	});
	if (failed > 0) throw new Error(`${failed} viewers got no stream`);
	const polite = startPolite(target.url, sessions[0] as string, key);
	await measure(3);
	polite.report();
	const calm = await measure(Number(values.calm));
	const calmPolite = polite.report();
	const heap = (await target.probe()).heapUsed;
	const resident = rssBytes(target.pid);
	order({ do: 'begin', url: target.url, attacks, halfOpen });
	await measure(3);
	await ask({ do: 'count' });
	polite.report();
	const abused = await measure(Number(values.seconds));
	const abuse = await ask({ do: 'count' });
	const abusedPolite = polite.report();
	// what no process holds off that has to accept them; beside the rest, and judged by what is lost alone
	order({ do: 'begin', url: target.url, attacks: HASTY, halfOpen: 0 });
	const flooded = await measure(Math.max(5, Number(values.seconds) / 10));
	const flood = await ask({ do: 'end' });
	await polite.stop();
	const floodedPolite = polite.report();
	const heapAfter = await rest(heap);
	const residentAfter = rssBytes(target.pid);
	const problems = findAbuseProblems({
		p99: abused.delays?.p99 ?? NaN,
		missing: calm.missing + abused.missing + flooded.missing,
		twice: calm.twice + abused.twice + flooded.twice,
		wrong: [...calmPolite.wrong, ...abusedPolite.wrong],
		rows: await rowsBySource(),
		due: { bench: numbers.next(), [HONEST_SOURCE]: floodedPolite.accepted },
		unexplained: findUnexplained(
			tables,
			await countTables(sql),
			NOTHING_GRANTED,
			(performance.now() - since) / 1_000,
		),
		heap: { before: heap, after: heapAfter },
		resident: { before: resident, after: residentAfter },
		sent: Object.values(abuse).reduce((sum, { sent }) => sum + sent, 0),
	});
	const seconds = abused.ms / 1_000;
	const perSecond = (count: number) => (count / seconds).toFixed(0);
	const percent = (share: number) => `${Math.round(100 * share)} %`;
	const row = (name: string, one: typeof calm, asked: typeof calmPolite) => [
		name,
		one.delays?.p50.toFixed(1) ?? '–',
		one.delays?.p99.toFixed(1) ?? '–',
		one.missing,
		one.twice,
		`${asked.p50.toFixed(0)} / ${asked.p99.toFixed(0)}`,
		asked.wrong.length,
		percent(one.share),
		percent(one.abuserShare),
	];
	const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
	tell({
		name: 'abuse',
		title: 'Beside an abusive client',
		question: `${values.viewers} viewers who have logged in and ten events a second, and one who asks and sends four times a second, before and while one client at full speed sends wrong keys, sessions, links and tokens, guesses, huge bodies and many requests at once, and holds ${halfOpen.toLocaleString('en')} half heads, each for a second, opened again one after the other. Then, in the last row, it also asks on new connections without waiting for anything, as often as it can.`,
		tables: [
			{
				caption: 'The honest',
				columns: [
					'',
					'p50 ms',
					'p99 ms',
					'missing',
					'twice',
					'p50 / p99 ms of an answer',
					'answers not due',
					'server CPU',
					'abuser CPU',
				],
				rows: [
					row(`calm, ${values.calm} s`, calm, calmPolite),
					row(`abused, ${values.seconds} s`, abused, abusedPolite),
					row(
						`and ${(hastyRequests(flood) / (flooded.ms / 1_000)).toFixed(0)} connections a second that are gone again at once`,
						flooded,
						floodedPolite,
					),
				],
			},
			{
				caption: 'The abuser',
				columns: ['', 'sent/s', 'answered'],
				rows: attacks.map((name) => {
					const { sent, answers } = abuse[name] ?? { sent: 0, answers: {} };
					const told = Object.entries(answers).sort(([a], [b]) => a.localeCompare(b));
					return [
						name,
						perSecond(sent),
						told.map(([what, times]) => `${what}: ${times.toLocaleString('en')}`).join(', ') || '–',
					];
				}),
			},
		],
		notes: [
			`p99 of the viewers: ${calm.delays?.p99.toFixed(1) ?? '–'} ms calm, ${abused.delays?.p99.toFixed(1) ?? '–'} ms beside the abuser (at most ${MAX_P99_MS} ms).`,
			`Heap ${mib(heap)} → ${mib(heapAfter)} MiB (at most ${mib(HEAP_LEFT)} more), resident ${mib(resident)} → ${mib(residentAfter)} MiB (at most ${mib(RESIDENT_LEFT)} more).`,
			problems.length === 0
				? 'Every viewer saw every event once, honest clients got the answers they were due, and the abuse wrote no row.'
				: `Out of bounds: ${problems.join('; ')}.`,
		],
	});
	for (const problem of problems) console.error(problem);
	if (problems.length > 0) process.exitCode = 1;
} finally {
	abuser.disconnect();
	await load.stop();
	await sql.end({ timeout: 1 });
	await target.stop();
}

function hastyRequests(report: AbuseReport): number {
	return HASTY.reduce((sum, name) => sum + (report[name]?.sent ?? 0), 0);
}

/** How many files a process may open. */
function openFiles(): number {
	const { userLimits } = process.report.getReport() as unknown as {
		userLimits: { open_files: { soft: number | 'unlimited' } };
	};
	const { soft } = userLimits.open_files;
	return soft === 'unlimited' ? Infinity : soft;
}
