/** The steps of a rehearsal: each is told with its outcome and its time, and the first that does not pass ends it. */

export type Step = { title: string; seconds: number; outcome: string; passed: boolean };

/** What an operator would see who did it by hand, and whether that is as it should be. */
export class Failure extends Error {
	override name = 'Failure';
}

export function createSteps(log: (line: string) => void) {
	const steps: Step[] = [];
	return {
		steps: steps as readonly Step[],
		/** @param run resolves to what came of it, in words, and what later steps need; throws when it does not pass */
		async step<T>(title: string, run: () => Promise<[outcome: string, value: T]>): Promise<T> {
			const started = performance.now();
			const end = (outcome: string, passed: boolean) => {
				const seconds = (performance.now() - started) / 1_000;
				steps.push({ title, seconds, outcome, passed });
				log(
					`${passed ? '✓' : '✗'} ${steps.length}. ${title} (${seconds.toFixed(1)} s)\n     ${outcome}`,
				);
			};
			try {
				const [outcome, value] = await run();
				end(outcome, true);
				return value;
			} catch (error) {
				end(error instanceof Error ? error.message : String(error), false);
				throw error;
			}
		},
	};
}

/** Throws with the sentence when it does not hold. */
export function must(holds: boolean, otherwise: string): asserts holds {
	if (!holds) throw new Failure(otherwise);
}
