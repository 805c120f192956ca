/** What the doctor has found of one thing, and how it is said. Pure. */

export type Finding = { check: string } & (
	| { is: 'well'; says: string }
	| { is: 'wrong'; says: string; mend: string }
	/** it was not looked at; `says` is why */
	| { is: 'unseen'; says: string }
);

export const well = (check: string, says: string): Finding => ({ check, is: 'well', says });
export const unseen = (check: string, says: string): Finding => ({ check, is: 'unseen', says });
/** @param mend a sentence that says what to do */
export const wrong = (check: string, says: string, mend: string): Finding => ({
	check,
	is: 'wrong',
	says,
	mend,
});

const MARKS = { well: 'well', wrong: 'WRONG', unseen: '–' } as const;

/** Lines for a terminal, and a last one that counts. */
export function toText(findings: readonly Finding[]): string {
	const width = Math.max(...findings.map(({ check }) => check.length));
	const lines = findings.map((finding) => {
		const { check, is, says } = finding;
		const line = `${MARKS[is].padEnd(5)}  ${check.padEnd(width)}  ${says}`;
		return finding.is === 'wrong' ? `${line}\n${' '.repeat(width + 9)}→ ${finding.mend}` : line;
	});
	const count = (kind: Finding['is']) => findings.filter(({ is }) => is === kind).length;
	const parts = [`${count('well')} well`, `${count('wrong')} wrong`];
	if (count('unseen') > 0) parts.push(`${count('unseen')} not looked at`);
	return `${lines.join('\n')}\n\n${parts.join(', ')}`;
}
