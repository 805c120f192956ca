/** Makes the attempts one after the other, with the tables read after each. */
import type { Sql } from '../../src/lib/server/db/connect';
import { createAgent, send, type WireRequest } from '../setup/wire';
import { findFaults, type Attempt } from './attempt';
import { changing } from './changing';
import { looking } from './looking';
import { wire } from './wire';
import { readTables, type World } from './world';
import { granted, writing } from './writing';

export const ATTEMPTS: readonly Attempt[] = [...looking, ...changing, ...writing, ...wire];
export { granted as GRANTED };

/** What came of them: by the name of each attempt its faults, and nothing for those that were held off. */
export type Faults = Record<string, string[]>;

const PATIENCE_MS = 300;

/** Each attempt has its own address: the tarpit would delay repeated refusals. */
let next = 0;
function fromSomebodyElse(asked: WireRequest): WireRequest {
	const address = `10.0.${Math.floor(next / 250)}.${(next++ % 250) + 1}`;
	return { ...asked, headers: { 'x-forwarded-for': address, ...asked.headers } };
}

export async function runAttempts({
	url,
	world,
	sql,
	attempts = ATTEMPTS,
	behindProxy = false,
	change = async (asked) => asked,
}: {
	url: string;
	world: World;
	sql: Sql;
	attempts?: readonly Attempt[];
	behindProxy?: boolean;
	/** what is sent instead */
	change?: (asked: WireRequest) => Promise<WireRequest>;
}): Promise<Faults> {
	const agent = createAgent(url, 0);
	const faults: Faults = {};
	try {
		let before = await readTables(sql);
		for (const attempt of attempts) {
			const asked = fromSomebodyElse(await change(attempt.ask(world)));
			const answer = await send(url, agent, asked, PATIENCE_MS);
			const after = await readTables(sql);
			const found = findFaults(attempt, { answer, before, after }, world, behindProxy);
			if (found.length > 0) faults[attempt.what] = found;
			before = after;
		}
	} finally {
		agent.destroy();
	}
	return faults;
}
