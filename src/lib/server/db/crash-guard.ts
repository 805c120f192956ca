/**
 * Survives two known errors with which postgres.js would end the process when its server dies under load: a
 * TypeError from `setImmediate(nextWrite)` on a closed socket, and unhandled rejections of queries. The
 * deadlines of their callers renew the client. Any other error still ends the process. Seen with postgres
 * 3.4.9; https://github.com/porsager/postgres/issues/1192
 */
import type { Logger } from 'pino';

const FROM_POSTGRES = /[\\/]node_modules[\\/]postgres[\\/]/;

/** The uncaught TypeError of a write to a socket that is gone. */
export function isKnownException(error: unknown): boolean {
	return (
		error instanceof TypeError &&
		/reading 'write'/.test(error.message) &&
		FROM_POSTGRES.test(error.stack ?? '')
	);
}

/** A rejection that says the connection or the server went away. */
export function isKnownRejection(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	const { code } = error as { code?: unknown };
	if (typeof code !== 'string') return false;
	return /^(CONNECTION_|CONNECT_TIMEOUT|57P0)/.test(code) && FROM_POSTGRES.test(error.stack ?? '');
}

/** Installs the handlers; returns their removal. */
export function startCrashGuard(log: Logger): () => void {
	function onException(error: unknown) {
		if (isKnownException(error))
			return log.warn({ reason: String(error) }, 'a database connection broke inside its driver');
		log.fatal({ err: error }, 'uncaught exception');
		process.exit(1);
	}
	function onRejection(error: unknown) {
		if (isKnownRejection(error))
			return log.warn({ reason: String(error) }, 'a query was lost with its connection');
		log.fatal({ err: error }, 'unhandled rejection');
		process.exit(1);
	}
	process.on('uncaughtException', onException);
	process.on('unhandledRejection', onRejection);
	return () => {
		process.off('uncaughtException', onException);
		process.off('unhandledRejection', onRejection);
	};
}
