/** Starts the load generator in a process of its own, and speaks with it. */
import { fileURLToPath } from 'node:url';
import { cpuMs } from './process-usage';
import { startRemote, type Remote } from './remote';
import type { Commands } from './worker';

export type Load = Remote<Commands> & {
	/** CPU time since its start, ms */
	cpuMs(): number;
};

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));

export function startLoad(): Load {
	const remote = startRemote<Commands>(WORKER, 'the load generator');
	return { ...remote, cpuMs: () => cpuMs(remote.pid) };
}
