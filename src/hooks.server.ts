/**
 * The one wiring file: environment → database → keys, ingest, and the reading instance (listener → drain → bus → windows);
 * what requests get of it (`locals`), who may pass, and how the process ends.
 * `vite dev` runs `init` again at every save of what this file imports and cleans up nothing: the stop of the previous
 * run waits in one slot on globalThis.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { building } from '$app/environment';
import {
	error,
	isHttpError,
	isRedirect,
	redirect,
	type Handle,
	type HandleServerError,
	type RequestEvent,
	type ServerInit,
} from '@sveltejs/kit';
import { createInitialModeExpression } from 'mode-watcher';
import pino, { type Logger } from 'pino';
import { widenAcceptQueue } from '$lib/server/accept-queue';
import { asksWho, refuse, TOKEN_ROUTES } from '$lib/server/access';
import { readAudit } from '$lib/server/audit';
import { readAddress, toNetwork } from '$lib/server/client-address';
import { startCrashGuard } from '$lib/server/crash';
import { connect, type Sql } from '$lib/server/db/connect';
import { migrate } from '$lib/server/db/migrate';
import { readEnv, type Env } from '$lib/server/env';
import { startHealth, toRetentionPart } from '$lib/server/health';
import { createHistory } from '$lib/server/history-cache';
import { createIngest } from '$lib/server/ingest';
import { startInstance } from '$lib/server/instance';
import { createIngestLimits } from '$lib/server/ingest-limits';
import { createMetrics } from '$lib/server/metrics';
import { createPasswordCheck } from '$lib/server/password';
import { secureHeaders } from '$lib/server/secure-headers';
import { createShareLinks } from '$lib/server/share-links';
import { createKeyCheck } from '$lib/server/key-check';
import { createKeyring } from '$lib/server/keyring';
import { readOut } from '$lib/server/read-out';
import { createRejections } from '$lib/server/rejections';
import { createRequestLog, toLoggedPath, toRequestId } from '$lib/server/request-log';
import { createTarpit } from '$lib/server/tarpit';
import { startUpkeep } from '$lib/server/upkeep';
import { VIEWER_COOKIE } from '$lib/server/viewer-cookie';
import { createTokens, readSecret } from '$lib/server/tokens';
import { createViewers, type Viewer } from '$lib/server/viewers';
import { createVisitorIds } from '$lib/server/visitor-salt';
import { createWriteWatch } from '$lib/server/write-watch';
import { THEME } from '$lib/theme';
import { version } from '../package.json';

/** Everything that a request may reach, and the way to end it. */
type Runtime = {
	env: Env;
	log: Logger;
	locals: App.Locals;
	/** to be awaited before somebody from this network is refused */
	late(network: string): Promise<void>;
	stop(): Promise<void>;
};

/** After SIGTERM: streams are away by then, and requests that are still not answered will not be. */
const CUT_MS = 8_000;
/** Whatever hangs: below the kill of most platforms. */
const EXIT_MS = 10_000;

/** Sets the theme before the first paint, so that nothing flashes. */
const THEME_SCRIPT = createInitialModeExpression(THEME);

const slot = globalThis as { [key: symbol]: Runtime | undefined };
const RUNTIME = Symbol.for('nowboard.runtime');

export const init: ServerInit = async () => {
	if (building) return;
	await slot[RUNTIME]?.stop();
	const read = readEnv(process.env);
	if (!read.ok) {
		console.error(read.errors.join('\n'));
		process.exit(1);
	}
	slot[RUNTIME] = start(read.env);
};

export const handle: Handle = async ({ event, resolve }) => {
	const runtime = slot[RUNTIME];
	if (!runtime) error(503, 'The server is starting.');
	const since = performance.now();
	const requestId = toRequestId(event.request.headers.get('x-request-id'));
	Object.assign(event.locals, runtime.locals, { requestId });
	const answered = (status: number) => {
		const { request, route, url } = event;
		const asked = { requestId, method: request.method, routeId: route.id, url };
		runtime.locals.requests.answered(asked, status, since);
	};
	try {
		const response = await answer(event, resolve, runtime);
		response.headers.set('x-request-id', requestId);
		answered(response.status);
		return response;
	} catch (thrown) {
		// SvelteKit makes an answer of it
		answered(isHttpError(thrown) || isRedirect(thrown) ? thrown.status : 500);
		throw thrown;
	}
};

async function answer(
	event: RequestEvent,
	resolve: Parameters<Handle>[0]['resolve'],
	runtime: Runtime,
): Promise<Response> {
	const { env } = runtime;
	const { viewer, tokenEndsAt } = await findViewer(event, runtime);
	const refusal = refuse({
		routeId: event.route.id,
		method: event.request.method,
		origin: event.request.headers.get('origin'),
		self: event.url.origin,
		dashboardPublic: env.dashboardPublic,
		viewer: viewer?.kind ?? null,
		mayMeasure: hasToken(event.request, env.metricsToken),
	});
	if (refusal) {
		await putOff(event, runtime);
		// a page that was opened is sent to where one says who one is; a script is told
		const isPage = event.request.headers.get('accept')?.includes('text/html');
		if (refusal.status === 401 && isPage)
			redirect(303, `/login?to=${encodeURIComponent(event.url.pathname + event.url.search)}`);
		const { requestId } = event.locals;
		error(refusal.status, { message: refusal.message, requestId });
	}
	Object.assign(event.locals, { viewer, tokenEndsAt });
	const response = await resolve(event, {
		transformPageChunk: ({ html }) => html.replace('%nowboard.theme%', THEME_SCRIPT),
	});
	if (response.status >= 400 && response.status < 500) await putOff(event, runtime);
	return secureHeaders(response, event.url.protocol === 'https:');
}

/** What comes before every answer of 4xx. */
async function putOff(event: RequestEvent, { late }: Runtime): Promise<void> {
	await readOut(event.platform?.req);
	await late(toNetwork(readAddress(event.getClientAddress)));
}

/** Compared as hashes: how long that takes says nothing about the token. */
function hasToken(request: Request, token: string | null): boolean {
	const given = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
	if (token === null || given === undefined) return false;
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(given), digest(token));
}

/** Asked only where it matters: ingest and health need no database for it. */
async function findViewer(
	event: RequestEvent,
	{ env, locals }: Runtime,
): Promise<{ viewer: Viewer | null; tokenEndsAt: number | null }> {
	const nobody = { viewer: null, tokenEndsAt: null };
	const { id } = event.route;
	if (!locals.login || !asksWho(id, env.dashboardPublic)) return nobody;
	const { viewers, tokens } = locals.login;
	const cookie = event.cookies.get(VIEWER_COOKIE);
	const token = TOKEN_ROUTES.includes(id ?? '') ? event.url.searchParams.get('token') : null;
	try {
		if (token === null)
			return cookie ? { viewer: await viewers.find(cookie), tokenEndsAt: null } : nobody;
		const read = await tokens.read(token);
		if (!read) return nobody;
		return { viewer: await viewers.findByHash(read.hash), tokenEndsAt: read.expiresAt };
	} catch {
		error(503, 'Whether you may look cannot be known: Postgres is not answering.');
	}
}

/** What a client got wrong is no error of ours; and of a path only what is no secret is written down, for a share link's is one. */
export const handleError: HandleServerError = ({ error, event, status, message }) => {
	const { requestId } = event.locals;
	const path = toLoggedPath({ routeId: event.route.id, url: event.url });
	if (status >= 500)
		slot[RUNTIME]?.log.error(
			{ requestId, err: error, method: event.request.method, path },
			message,
		);
	return { message, requestId };
};

const OVER_LIMIT = 'requests over a limit are answered 429';
const ONE_ADDRESS = `${OVER_LIMIT}; behind a proxy all visitors have its address unless ADDRESS_HEADER is set`;

function createLogin(password: string, secret: string | null, sql: Sql): App.Locals['login'] {
	const viewers = createViewers({ sql });
	return {
		password: createPasswordCheck(password),
		viewers,
		links: createShareLinks(sql, viewers),
		keyring: createKeyring(sql),
		audit: () => readAudit(sql),
		tokens: createTokens(async () => secret ?? readSecret(sql)),
	};
}

function start(env: Env): Runtime {
	const log = pino({ level: env.logLevel });
	const unguard = startCrashGuard(log);
	const narrow = widenAcceptQueue();
	const direct = () => connect(env.databaseDirectUrl, { max: 1 });
	const pooled = () => connect(env.databaseUrl, { max: 1 });
	const watch = createWriteWatch({
		connect: pooled,
		onChange(trouble) {
			log[trouble ? 'error' : 'info'](
				{ trouble },
				trouble ? 'events are refused' : 'events are taken',
			);
			live.announce();
		},
	});
	const ingest = createIngest({
		connect: pooled,
		log,
		onFailed: watch.suspect,
		onGroup: (events) => metrics.sawGroup(events),
	});
	const rejections = createRejections();
	const keys = createKeyCheck({ connect: pooled, log, onFailed: watch.suspect });
	const limits = createIngestLimits({
		onLimited: (rule) => log.warn({ rule }, env.addressHeader ? OVER_LIMIT : ONE_ADDRESS),
	});
	const ticks = pooled();
	const visitors = createVisitorIds(ticks);
	// counting and deleting each take one for a moment, and history is read beside them
	const upkeepSql = connect(env.databaseUrl, { max: 3 });
	const live = startInstance({
		connect: direct,
		sql: ticks,
		async prepare() {
			const warn = (message: string) => log.warn(message);
			await migrate(env.databaseDirectUrl, { folder: env.migrations, warn });
		},
		log,
		writing: watch.trouble,
		onTickFailed: watch.suspect,
		onDrain: (ms) => metrics.sawDrain(ms),
		onDelay(ms) {
			metrics.sawDelay(ms);
			watching.sawDelay(ms);
		},
	});
	const metrics = createMetrics({ live, ingest, rejections, version });
	const watching = startHealth({
		live,
		ingest,
		rejections,
		version,
		more: () =>
			env.retentionDays === 0
				? []
				: [toRetentionPart(env.retentionDays, upkeep.retention.failed())],
	});

	const upkeep = startUpkeep({
		sql: upkeepSql,
		days: env.retentionDays,
		log,
		live,
		forget: visitors.forget,
	});

	let stopped: Promise<void> | undefined;
	async function end() {
		process.off('SIGTERM', onSignal);
		process.off('SIGINT', onSignal);
		process.off('sveltekit:shutdown', stop);
		watching.stop();
		watch.stop();
		await keys.close();
		await ingest.close();
		await live.stop();
		// whatever it is at: a transaction that is cut off has changed nothing
		void upkeep.stop().catch(() => {});
		await upkeepSql.end({ timeout: 1 });
		login?.viewers.stop();
		await ticks.end({ timeout: 1 });
		unguard();
		narrow();
	}
	const stop = () => (stopped ??= end());

	/** The adapter stops taking connections at the same signal, and waits for the open ones: we end those that would last. */
	function onSignal() {
		log.info('shutting down: ending the streams');
		live.dismiss();
		setTimeout(() => void stop().then(() => process.exit(0)), CUT_MS).unref();
		setTimeout(() => process.exit(1), EXIT_MS).unref();
	}
	process.once('SIGTERM', onSignal);
	process.once('SIGINT', onSignal);
	process.once('sveltekit:shutdown', stop);

	const login =
		env.dashboardPassword === null ? null : createLogin(env.dashboardPassword, env.secret, ticks);
	const demo = env.demo ? { running: true } : null;
	return {
		env,
		log,
		locals: {
			live,
			ingest,
			metrics,
			health: watching.health,
			requestId: '',
			requests: createRequestLog(log, { all: env.logRequests }),
			history: createHistory({ sql: upkeepSql, log }),
			retention: upkeep.retention,
			ingestOpen: env.ingestOpen,
			sendingKeys: env.demoKeys ?? (env.ingestOpen ? null : 'needed'),
			keys,
			limits,
			visitors,
			rejections,
			login,
			viewer: null,
			tokenEndsAt: null,
			demo,
		},
		late: createTarpit(),
		stop,
	};
}
