/** Says when figures have stood still for so long that a page should say why: a large transaction is being counted. */

/** A transaction that is counted sooner is not worth a word. */
export const CHECK_MS = 1_000;

/**
 * Looks from time to time until `stop`.
 * @param isCounting asked at every look
 * @param onChange `stand` has changed
 */
export function watchFigures(
	isCounting: () => boolean,
	onChange: () => void,
	checkMs = CHECK_MS,
): { /** They stood still at the last two looks. */ stand(): boolean; stop(): void } {
	let was = false;
	let stand = false;
	const timer = setInterval(() => {
		const is = isCounting();
		const next = is && was;
		was = is;
		if (next === stand) return;
		stand = next;
		onChange();
	}, checkMs);
	return { stand: () => stand, stop: () => clearInterval(timer) };
}
