/**
 * Honest viewers during an attack: an event every so often, and the delay from its INSERT to each viewer.
 * In a process of their own: the process that makes five hundred requests stalls for a quarter of a second.
 */
import { fileURLToPath } from 'node:url';
import { startRemote } from '../../bench/load/remote';
import { HONEST_SOURCE } from './run';

const VIEWERS = 10;
const EVERY_MS = 500;
/** What was written so lately may be on its way. */
const ON_ITS_WAY_MS = 2_000;
const WORKER = fileURLToPath(new URL('./honest-worker.ts', import.meta.url));

export type Looked = {
	events: number;
	/** ms, over all viewers and events; NaN when nothing came */
	p50: number;
	p99: number;
	/** events times viewers that did not see them */
	unseen: number;
};
export type HonestViewers = {
	/** since the last time that it was asked; waits for what is on its way */
	report(): Promise<Looked>;
	stop(): Promise<void>;
};
type Watch = {
	origin: string;
	databaseUrl: string;
	/** the token of a session; each viewer sends it as its cookie */
	session: string;
	source: string;
	viewers: number;
	everyMs: number;
	onItsWayMs: number;
};
export type Commands = {
	watch: { in: Watch; out: null };
	report: { in: null; out: Looked };
};

/** Resolves when all look. */
export async function startHonestViewers({
	viewers = VIEWERS,
	everyMs = EVERY_MS,
	onItsWayMs = ON_ITS_WAY_MS,
	...given
}: Pick<Watch, 'origin' | 'databaseUrl' | 'session'> & Partial<Watch>): Promise<HonestViewers> {
	const remote = startRemote<Commands>(WORKER, 'the honest viewers');
	try {
		await remote.ask('watch', {
			source: HONEST_SOURCE,
			...{ viewers, everyMs, onItsWayMs },
			...given,
		});
	} catch (error) {
		await remote.stop();
		throw error;
	}
	return { report: () => remote.ask('report', null), stop: () => remote.stop() };
}
