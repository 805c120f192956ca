/** Ports of this machine: free ones, and whether a given one is free. */
import { createServer } from 'node:net';

/** A free port of the loopback address. */
export function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const probe = createServer();
		probe.once('error', reject);
		probe.listen(0, '127.0.0.1', () => {
			const address = probe.address();
			const port = typeof address === 'object' && address ? address.port : 0;
			probe.close(() => resolve(port));
		});
	});
}

/** False when something listens on the port; true also for an address that this machine does not have. */
export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = createServer();
		probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
		probe.listen(port, host, () => probe.close(() => resolve(true)));
	});
}

/** PORT, or 3000. Throws when it is no port or taken. A browser may mean either address by `localhost`. */
export async function choosePort(text = process.env.PORT): Promise<number> {
	const port = Number(text || 3000);
	if (!Number.isInteger(port) || port < 1 || port > 65_535) {
		throw new Error(`PORT is "${text}" and must be a whole number from 1 to 65535.`);
	}
	if ((await isFree(port)) && (await isFree(port, '::1'))) return port;
	throw new Error(
		`Port ${port} is taken by another program. Stop that one, or choose another port: PORT=${port + 1} npm run …`,
	);
}
