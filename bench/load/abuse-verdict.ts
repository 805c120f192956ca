/** What may not come of abuse. Pure. */

/** Beside what is remembered for good (ten thousand tokens and keys, right and wrong): compiled code, and what the collector does not find at once. */
export const HEAP_LEFT = 16 * 2 ** 20;
/** V8 and malloc give back late what they had: buffers of two thousand sockets, scrypt's 64 MiB. It is the same after a minute and after ten. */
export const RESIDENT_LEFT = 256 * 2 ** 20;
export const MAX_RATIO = 2;

export type Abused = {
	/** p99 of the viewers' delay, ms */
	p99: { calm: number; abused: number };
	/** over all viewers */
	missing: number;
	twice: number;
	/** sentences about answers to honest clients that were not due */
	wrong: readonly string[];
	/** by source: rows, and those that honest clients know of */
	rows: Readonly<Record<string, number>>;
	due: Readonly<Record<string, number>>;
	/** sentences about other tables */
	unexplained: readonly string[];
	/** bytes */
	heap: { before: number; after: number };
	resident: { before: number; after: number };
	/** requests and half-open connections that were sent; none: nothing was measured */
	sent: number;
};

const SHOWN = 5;

/** Sentences; empty when all is well. NaN is not well. */
export function findAbuseProblems(one: Abused): string[] {
	const problems: string[] = [];
	const ratio = one.p99.abused / one.p99.calm;
	if (!(ratio <= MAX_RATIO))
		problems.push(
			`p99 of the viewers is ${ratio.toFixed(2)} times the calm one: at most ${MAX_RATIO}`,
		);
	if (one.missing !== 0) problems.push(`${one.missing} events were not seen by all viewers`);
	if (one.twice !== 0) problems.push(`${one.twice} events came twice`);
	if (one.wrong.length > 0)
		problems.push(
			`${one.wrong.length} answers to honest clients were not due: ${one.wrong.slice(0, SHOWN).join('; ')}`,
		);
	for (const source of new Set([...Object.keys(one.rows), ...Object.keys(one.due)])) {
		const [is, due] = [one.rows[source] ?? 0, one.due[source] ?? 0];
		if (is !== due)
			problems.push(`${is} rows of the source "${source}": ${due} were sent by honest clients`);
	}
	problems.push(...one.unexplained);
	const memory = [
		['the heap', one.heap, HEAP_LEFT],
		['resident memory', one.resident, RESIDENT_LEFT],
	] as const;
	for (const [what, { before, after }, left] of memory)
		if (!(after - before <= left))
			problems.push(
				`${what} went from ${toMib(before)} to ${toMib(after)} MiB: at most ${toMib(left)} more`,
			);
	if (one.sent === 0) problems.push('the abuser has sent nothing');
	return problems;
}

const toMib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
