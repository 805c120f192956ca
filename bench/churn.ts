/**
 * Clients that come and leave, over and over: what the server holds must not grow with how many there were.
 *
 * npm run bench:churn -- [--cycles 100000] [--at-once 50]   (needs `npm run build` before)
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { rssBytes } from './load/process-usage';
import { startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		cycles: { type: 'string', default: '100000' },
		'at-once': { type: 'string', default: '50' },
	},
});
const cycles = Number(values.cycles);
const STEPS = 5;
/** Until sockets that were just closed are gone. */
const SETTLE_MS = 1_500;

const target = await startTarget();
const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
try {
	/** connects, reads the first bytes, leaves */
	async function visit(): Promise<void> {
		const request = get(`${target.url}/api/dashboard/stream`, { agent: false });
		const [response] = (await once(request, 'response')) as [IncomingMessage];
		await once(response, 'data');
		request.on('error', () => {});
		response.on('error', () => {});
		request.destroy();
	}
	async function visitMany(count: number): Promise<void> {
		let left = count;
		const worker = async () => {
			while (left-- > 0) await visit();
		};
		await Promise.all(Array.from({ length: Number(values['at-once']) }, worker));
	}
	async function report(visits: number) {
		await pause(SETTLE_MS);
		const { heapUsed, resources } = await target.probe();
		const held = Object.entries(resources).map(([name, count]) => `${name} ${count}`);
		console.log(
			`${String(visits).padStart(7)} visits: heap ${mib(heapUsed)} MiB, resident ${mib(rssBytes(target.pid))} MiB; ${held.join(', ')}`,
		);
	}
	await visitMany(2_000);
	await report(2_000);
	const started = performance.now();
	for (let step = 1; step <= STEPS; step++) {
		await visitMany(cycles / STEPS);
		await report(2_000 + (cycles / STEPS) * step);
	}
	const seconds = (performance.now() - started) / 1_000 - (STEPS * SETTLE_MS) / 1_000;
	console.log(`${(cycles / seconds).toFixed(0)} visits a second`);
} finally {
	await target.stop();
}
