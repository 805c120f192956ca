/**
 * How many connections the kernel may hold for this process before it has accepted them. Node asks for 511 and adapter-node cannot be told
 * otherwise; when thousands of pages come back in the same second, the rest is dropped and asks again 1, 2, 4 and 8 s
 * later (docs/decisions/0010). It changes what `listen` asks for, and nothing once a server listens.
 */
import { Server, type ListenOptions } from 'node:net';

/** What Linux grants by default (net.core.somaxconn); less where less is allowed. */
export const ACCEPT_QUEUE = 4_096;

/**
 * From now on a server that names a port and no backlog gets ours.
 * @param onServer told of each that is going to listen
 * @returns takes it back
 */
export function widenAcceptQueue(
	onServer: (server: unknown) => void = () => {},
	prototype: Pick<Server, 'listen'> = Server.prototype,
): () => void {
	const listen = prototype.listen as (this: unknown, ...given: unknown[]) => Server;
	prototype.listen = function (this: unknown, ...given: unknown[]) {
		const [first, ...rest] = given;
		onServer(this);
		return isPort(first)
			? listen.call(this, { backlog: ACCEPT_QUEUE, ...first }, ...rest)
			: listen.call(this, ...given);
	};
	return () => {
		prototype.listen = listen as Server['listen'];
	};
}

function isPort(given: unknown): given is ListenOptions {
	return typeof given === 'object' && given !== null && 'port' in given;
}
