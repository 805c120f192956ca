/** Starts the load generator in a process of its own, and speaks with it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cpuMs } from '../process-usage';
import type { Commands } from './worker';

export type Load = {
	pid: number;
	ask<Name extends keyof Commands>(
		name: Name,
		input: Commands[Name]['in'],
	): Promise<Commands[Name]['out']>;
	/** CPU time since its start, ms */
	cpuMs(): number;
	stop(): Promise<void>;
};

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));

export function startLoad(): Load {
	const child = fork(WORKER, { execArgv: ['--import', 'tsx'] });
	const waiting = new Map<number, { resolve: (out: never) => void; reject: (e: Error) => void }>();
	let asked = 0;
	child.on('message', ({ id, out, error }: { id: number; out: never; error?: string }) => {
		const one = waiting.get(id);
		waiting.delete(id);
		if (error === undefined) one?.resolve(out);
		else one?.reject(new Error(`the load generator: ${error}`));
	});
	const exited = once(child, 'exit');
	void exited.then(() => {
		for (const { reject } of waiting.values()) reject(new Error('the load generator has ended'));
	});
	return {
		pid: child.pid as number,
		ask: (name, input) =>
			new Promise((resolve, reject) => {
				const id = asked++;
				waiting.set(id, { resolve, reject });
				child.send({ id, name, in: input });
			}),
		cpuMs: () => cpuMs(child.pid as number),
		async stop() {
			child.disconnect();
			await exited;
		},
	};
}
