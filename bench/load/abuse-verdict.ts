/** Judges a run of `bench:abuse`: what must hold for honest clients, and what the abuse may leave behind. Pure. */

/** Room for ten thousand remembered tokens and keys, compiled code, and what the collector finds late. */
export const HEAP_LEFT = 16 * 2 ** 20;
/** V8 and malloc return memory late: buffers of 2,000 sockets, scrypt's 64 MiB. Measured equal after one minute and ten. */
export const RESIDENT_LEFT = 256 * 2 ** 20;
/** p99 of the honest viewers' delay beside the abuser; below about 150 ms, a dashboard still feels live. */
export const MAX_P99_MS = 150;

export type Abused = {
	/** p99 of the honest viewers' delay beside the abuser, ms */
	p99: number;
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
	if (!(one.p99 <= MAX_P99_MS))
		problems.push(`p99 of the viewers is ${one.p99.toFixed(1)} ms: at most ${MAX_P99_MS} ms`);
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
