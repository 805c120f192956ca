/** Many clients of one transport, with the code that a page would run. Over IPC: `follow` begins, `report` is answered. */
import { WebSocket } from 'ws';
import { EventSource } from 'undici';

// what a browser has and Node 20 has not
Object.assign(globalThis, { WebSocket, EventSource });

const [, , name] = process.argv;
const { follow } = await import(`./${name}.client.js`);
let delays = [];
let newest = [];
let twice = 0;

process.on('message', (message) => {
	if (message.follow) {
		const { url, count, pauseMs } = message.follow;
		newest = new Array(count).fill(0);
		for (let i = 0; i < count; i++)
			follow(
				url,
				(events) => {
					const now = Number(process.hrtime.bigint() / 1_000n);
					for (const { id, properties } of events) {
						if (id <= newest[i]) twice++;
						else newest[i] = id;
						delays.push((now - properties.t) / 1_000);
					}
				},
				pauseMs,
			);
		return;
	}
	delays.sort((a, b) => a - b);
	const at = (q) => delays[Math.min(delays.length - 1, Math.floor(q * delays.length))];
	process.send({ delivered: delays.length, twice, p50: at(0.5), p99: at(0.99) });
	delays = [];
	twice = 0;
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });
