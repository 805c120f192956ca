/**
 * Loaded into `node build` (NODE_OPTIONS=--import): its patience with requests that do not arrive is divided by HURRY, or, with HURRY=0, without
 * end. Prints what it was.
 */
import { Server } from 'node:net';

const by = Number(process.env.HURRY);
const listen = Server.prototype.listen;
/** @this {Server & Record<string, number>} @param {unknown[]} given */
Server.prototype.listen = function (...given) {
	if ('headersTimeout' in this) {
		const { headersTimeout, requestTimeout, connectionsCheckingInterval } = this;
		const patience = { headersTimeout, requestTimeout, connectionsCheckingInterval };
		console.log(JSON.stringify({ patience }));
		for (const [name, ms] of Object.entries(patience)) this[name] = by === 0 ? 0 : ms / by;
		// 0 would check all the time
		if (by === 0) this.connectionsCheckingInterval = connectionsCheckingInterval;
	}
	return Reflect.apply(listen, this, given);
};
