import { startLoad } from './load/load';
import { createNumbers, measure, openClients, toRow } from './measure';
import { startOurs } from './servers';
const [clients, times, events, seconds] = process.argv.slice(2).map(Number) as [
	number,
	number,
	number,
	number,
];
const server = await startOurs();
const load = startLoad();
await openClients(load, server, clients);
const numbers = createNumbers();
for (let i = 0; i < (Number(process.env.N) || 1); i++)
	console.log(toRow(await measure(server, load, numbers, { times, events }, seconds)).join('  '));
await load.stop();
await server.stop();
