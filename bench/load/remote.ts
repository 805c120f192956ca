/** Commands to a process of its own, and their results: what measures must not wait for what it measures beside, nor that for it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** What a module answers, by name; what travels is a structured clone. */
export type Calls = Record<string, { in: unknown; out: unknown }>;
export type Handlers<C extends Calls> = {
	[Name in keyof C]: (input: C[Name]['in']) => Promise<C[Name]['out']>;
};
export type Remote<C extends Calls> = {
	pid: number;
	/** Rejects with what the module threw, or when its process has ended. */
	ask<Name extends keyof C & string>(name: Name, input: C[Name]['in']): Promise<C[Name]['out']>;
	/** Resolves when its process has ended. */
	stop(): Promise<void>;
};

type Command = { id: number; name: string; in: unknown };
type Answer = { id: number; out?: unknown; error?: string };

/** @param file the module, which calls {@link answer} @param what its name in errors */
export function startRemote<C extends Calls>(file: string, what: string): Remote<C> {
	const child = fork(file, { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
	const waiting = new Map<
		number,
		{ resolve: (out: never) => void; reject: (error: Error) => void }
	>();
	let asked = 0;
	let ended = false;
	child.on('message', ({ id, out, error }: Answer) => {
		const one = waiting.get(id);
		waiting.delete(id);
		if (error === undefined) one?.resolve(out as never);
		else one?.reject(new Error(`${what}: ${error}`));
	});
	const exited = once(child, 'exit');
	void exited.then(() => {
		ended = true;
		for (const { reject } of waiting.values()) reject(new Error(`${what} has ended`));
	});
	return {
		pid: child.pid as number,
		ask: (name, input) =>
			new Promise((resolve, reject) => {
				if (ended) throw new Error(`${what} has ended`);
				const id = asked++;
				waiting.set(id, { resolve, reject });
				child.send({ id, name, in: input } satisfies Command);
			}),
		async stop() {
			if (child.connected) child.disconnect();
			await exited;
		},
	};
}

/** The other side: called once, in the module that was started. The process ends with the one that started it. */
export function answer<C extends Calls>(handlers: Handlers<C>): void {
	process.on('message', ({ id, name, in: input }: Command) => {
		const reply = (one: Omit<Answer, 'id'>) => process.send?.({ id, ...one });
		(handlers[name] as Handlers<Calls>[string])(input).then(
			(out) => reply({ out }),
			(error: unknown) => reply({ error: String(error) }),
		);
	});
	process.on('disconnect', () => process.exit());
}
