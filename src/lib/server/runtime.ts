/**
 * Wires a process together, from the environment to what requests get (`locals`), and shuts it down. Each part is created
 * after the parts it uses.
 */
import pino, { type Logger } from 'pino';
import { version } from '../../../package.json';
import { createLogin } from './access/login';
import { createBodyBudget } from './http/body-budget';
import { startCrashGuard } from './db/crash-guard';
import { connect, type Limits } from './db/connect';
import { findLimits, LONG_STATEMENT_TIMEOUT } from './db/limits';
import { logTrouble } from './db/trouble-log';
import { prepareDatabase } from './migrations/prepare';
import { findIgnored } from './config/database-url';
import type { Env } from './config/env';
import { startHealth } from './monitoring/health';
import { createBefore } from './history/half-hour-before';
import { createHistory } from './history/history-cache';
import { createOlderReader } from './history/older-events';
import { createSessions } from './history/session-path';
import { createContextReader } from './ingest/context';
import { startCountries } from './ingest/countries';
import { createOwnVisits } from './ignored/own-visits';
import { createRobots } from './ignored/robots';
import { createIngest } from './ingest/group-commit';
import { createIngestLimits } from './ingest/rate-limits';
import { startInstance } from './stream/hub';
import { createKeyCheck } from './keys/key-check';
import { createKeyring } from './keys/keyring';
import { createMoments } from './moment/moments';
import { createLastHour } from './monitoring/last-hour';
import { createMetrics, createTimings } from './monitoring/metrics';
import { createPeopleLister } from './presence/people-list';
import { startPresence } from './presence/presence';
import { createRedisRelay } from './relay/redis-relay';
import { toRelayPart } from './relay/health-part';
import { createRejections } from './ingest/rejections';
import { createRequestLog } from './monitoring/request-log';
import { createTarpit, type Tarpit } from './http/tarpit';
import { startUpkeep } from './history/maintenance';
import { endOnSignals } from './shutdown';
import { createViewLimits } from './http/view-limits';
import { createVisitorIds } from './ingest/visitor-salt';
import { createWriteWatch } from './ingest/write-probe';

/** Everything that a request may reach, and the way to end it. */
export type Runtime = {
	env: Env;
	log: Logger;
	locals: App.Locals;
	tarpit: Tarpit;
	stop(): Promise<void>;
};

const OVER_LIMIT = 'requests over a limit are answered 429';
const ONE_ADDRESS = `${OVER_LIMIT}; behind a proxy all visitors have its address unless ADDRESS_HEADER is set`;

/** Starts at once; what needs the database waits for it. */
export function startRuntime(env: Env): Runtime {
	const log = pino({ level: env.logLevel });
	const parameters = findIgnored(env.databaseUrl, env.databaseDirectUrl);
	if (parameters.length > 0)
		log.info({ parameters }, 'parameters of the database URL that are ignored');
	const unguard = startCrashGuard(log);
	const schema = env.databaseSchema;
	// filled in by `prepare`, before the first reading
	const timeouts: Limits = {};
	const long: Limits = {};
	const isPooled = env.databaseUrl !== env.databaseDirectUrl;
	const direct = () => connect(env.databaseDirectUrl, { max: 1, schema, limits: timeouts });
	const pooled = () =>
		connect(env.databaseUrl, { max: 1, schema, limits: isPooled ? undefined : timeouts });
	const timings = createTimings();
	const hour = createLastHour();

	// what comes in
	const watch = createWriteWatch({ connect: pooled });
	const ingest = createIngest({
		connect: pooled,
		log,
		onFailed: watch.suspect,
		onGroup: timings.sawGroup,
	});
	const countries = startCountries(env.geoipFile, (error) =>
		log.error({ reason: String(error) }, 'the country file cannot be read; countries stay unknown'),
	);
	const context = createContextReader({ countries, countryHeader: env.countryHeader });
	const rejections = createRejections();
	const robots = createRobots();
	const keys = createKeyCheck({ connect: pooled, log, onFailed: watch.suspect });
	const onLimited = (rule: string) =>
		log.warn({ rule }, env.addressHeader ? OVER_LIMIT : ONE_ADDRESS);
	const limits = createIngestLimits({ onLimited });
	const ticks = pooled();
	const visitors = createVisitorIds(ticks);

	const relay = env.relay && createRedisRelay(env.relay, env, { connect: direct, log });

	const presence = env.presence ? startPresence({ connect: pooled, log }) : null;

	// what goes out
	const live = startInstance({
		connect: direct,
		sql: ticks,
		async prepare() {
			const warn = (message: string) => log.warn(message);
			Object.assign(timeouts, await findLimits(env.databaseDirectUrl));
			if (timeouts.statement_timeout && !isPooled)
				Object.assign(long, timeouts, { statement_timeout: LONG_STATEMENT_TIMEOUT });
			await prepareDatabase(env.databaseDirectUrl, {
				...{ schema, folder: env.migrations, limits: timeouts, warn },
			});
		},
		log,
		presence: presence?.reader ?? null,
		relay,
		writing: watch.trouble,
		onTickFailed: watch.suspect,
		onDrain: timings.sawDrain,
		onDelay(ms) {
			timings.sawDelay(ms);
			hour.delay(ms);
		},
	});
	watch.onChange((diagnosis, error) => {
		if (diagnosis) logTrouble(log, pooled().options, diagnosis, error, 'events are refused');
		else log.info({ trouble: null }, 'events are taken');
		live.announce();
	});

	// counting and deleting take one connection each for a moment, and history queries run beside them
	const upkeepSql = connect(env.databaseUrl, { max: 3, schema, limits: long });
	const upkeep = startUpkeep({
		sql: upkeepSql,
		days: env.retentionDays,
		log,
		live,
		forget: visitors.forget,
	});
	const parts = { live, ingest, rejections, version };
	const metrics = createMetrics({ ...parts, timings });
	const health = startHealth({
		...parts,
		robots,
		hour,
		more: () =>
			[...upkeep.parts(), live.viewCosts(), live.skipped.part(), toRelayPart(live.relay())].filter(
				(part) => part !== null,
			),
	});
	const { dashboardPassword: password, secret } = env;
	const login =
		password === null
			? null
			: {
					...createLogin({ password, secret, connect: pooled, sql: ticks, log }),
					keyring: createKeyring(ticks),
				};

	async function end() {
		health.stop();
		watch.stop();
		await keys.close();
		await ingest.close();
		await presence?.stop();
		await live.stop();
		// not awaited: a transaction that is cut off has changed nothing
		void upkeep.stop().catch(() => {});
		await upkeepSql.end({ timeout: 1 });
		await login?.viewers.stop();
		await ticks.end({ timeout: 1 });
		unguard();
	}

	return {
		env,
		log,
		locals: {
			live,
			ingest,
			context,
			ownVisits: createOwnVisits(env.ownVisits),
			robots,
			bodies: createBodyBudget(),
			metrics,
			health: health.health,
			viewLimits: createViewLimits({ knows: live.knows, watched: live.watchedViews }),
			network: '',
			requestId: '',
			requests: createRequestLog(log, { all: env.logRequests }),
			history: createHistory({ sql: upkeepSql, log }),
			before: createBefore({ sql: upkeepSql, log }),
			older: createOlderReader({ sql: upkeepSql, log }),
			sessions: createSessions({ sql: upkeepSql, log }),
			moments: createMoments({ sql: upkeepSql, log }),
			ingestOpen: env.ingestOpen,
			basePath: env.basePath,
			sendingKeys: env.demoKeys ?? (env.ingestOpen ? null : 'needed'),
			keys,
			limits,
			presence: presence && { hear: presence.hear, limits: createIngestLimits({ onLimited }) },
			people: presence && createPeopleLister({ sql: upkeepSql, reader: presence.reader, log }),
			visitors,
			rejections,
			login,
			viewer: null,
			tokenEndsAt: null,
			demo: env.demo ? { running: true } : null,
		},
		tarpit: createTarpit(),
		stop: endOnSignals({ log, dismiss: live.dismiss, end }),
	};
}
