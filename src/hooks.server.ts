/**
 * The one wiring file: environment → database → keys, ingest, and the reading instance (listener → drain → bus → windows);
 * what requests get of it (`locals`), who may pass, and how the process ends.
 * `vite dev` runs `init` again at every save of what this file imports and cleans up nothing: the stop of the previous
 * run waits in one slot on globalThis.
 */
import { building } from '$app/environment';
import { error, type Handle, type HandleServerError, type ServerInit } from '@sveltejs/kit';
import pino, { type Logger } from 'pino';
import { widenAcceptQueue } from '$lib/server/accept-queue';
import { refuse } from '$lib/server/access';
import { startCrashGuard } from '$lib/server/crash';
import { connect } from '$lib/server/db/connect';
import { migrate } from '$lib/server/db/migrate';
import { readEnv, type Env } from '$lib/server/env';
import { createIngest } from '$lib/server/ingest';
import { startInstance } from '$lib/server/instance';
import { createKeyCheck } from '$lib/server/key-check';
import { createRejections } from '$lib/server/rejections';
import { startThinning } from '$lib/server/thin';
import { createWriteWatch } from '$lib/server/write-watch';

/** Everything that a request may reach, and the way to end it. */
type Runtime = {
	env: Env;
	log: Logger;
	locals: App.Locals;
	stop(): Promise<void>;
};

/** After SIGTERM: streams are away by then, and requests that are still not answered will not be. */
const CUT_MS = 8_000;
/** Whatever hangs: below the kill of most platforms. */
const EXIT_MS = 10_000;

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
	const refusal = refuse({
		routeId: event.route.id,
		method: event.request.method,
		origin: event.request.headers.get('origin'),
		self: event.url.origin,
		dashboardPublic: runtime.env.dashboardPublic,
	});
	if (refusal) error(refusal.status, refusal.message);
	Object.assign(event.locals, runtime.locals);
	return resolve(event);
};

export const handleError: HandleServerError = ({ error, event, status, message }) => {
	if (status !== 404)
		slot[RUNTIME]?.log.error(
			{ err: error, method: event.request.method, path: event.url.pathname },
			message,
		);
	return { message };
};

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
	const ingest = createIngest({ connect: pooled, log, onFailed: watch.suspect });
	const keys = createKeyCheck({ connect: pooled, log, onFailed: watch.suspect });
	const ticks = pooled();
	const live = startInstance({
		connect: direct,
		sql: ticks,
		prepare: async () => void (await migrate(env.databaseDirectUrl, { folder: env.migrations })),
		log,
		writing: watch.trouble,
		onTickFailed: watch.suspect,
	});

	const thinning = startThinning({
		sql: ticks,
		onError: (error) => log.warn({ reason: String(error) }, 'old ticks were not thinned'),
	});

	let stopped: Promise<void> | undefined;
	async function end() {
		process.off('SIGTERM', onSignal);
		process.off('SIGINT', onSignal);
		process.off('sveltekit:shutdown', stop);
		thinning.stop();
		watch.stop();
		await keys.close();
		await ingest.close();
		await live.stop();
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

	const demo = env.demo ? { running: true } : null;
	return {
		env,
		log,
		locals: {
			live,
			ingest,
			ingestOpen: env.ingestOpen,
			keys,
			rejections: createRejections(),
			demo,
		},
		stop,
	};
}
