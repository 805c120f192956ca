/** Loaded into the server under test: answers each message with what it holds, after a garbage collection. */
import { setImmediate as turn } from 'node:timers/promises';

process.on('message', async () => {
	// what has a finalizer goes with the second: the first only finds it
	for (let i = 0; i < 2; i++) {
		globalThis.gc?.();
		await turn();
	}
	/** @type {Record<string, number>} */
	const resources = {};
	for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
	process.send?.({ heapUsed: process.memoryUsage().heapUsed, resources });
});
// asking must not keep it alive
process.channel?.unref();
// the measuring process has ended
process.on('disconnect', () => process.exit());
