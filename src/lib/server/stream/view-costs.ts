/** What live queries cost this process, measured and in words for the status page: to open one, and to keep it up to date. */
import { DEFAULT_LOOK, toCount } from '../../format';
import type { HealthPart } from '../../health';

export type ViewCosts = {
	/** A view that was not there was scanned: so many ms of work. */
	opened(ms: number): void;
	/** A frame was made, for so many views: ms of work. */
	framed(views: number, ms: number): void;
	/** For the status page. @param views kept up to date @param watched by an open page */
	part(views: number, watched: number): HealthPart;
};

/** Weight of the newest measurement: about the last twenty count. */
const WEIGHT = 0.05;

/** Means, in which the newest measurements weigh most. */
export function createViewCosts(): ViewCosts {
	const open = createMean();
	const frame = createMean();

	return {
		opened: (ms) => open.see(ms),
		framed: (views, ms) => void (views > 0 && frame.see(ms / views)),
		part(views, watched) {
			const costs = [
				open.words() && `To open another takes ${open.words()}`,
				frame.words() && `a frame ${frame.words()} for each`,
			].filter(Boolean);
			const words = [
				`Filters with their breakdowns that are kept up to date; ${toCount(watched, DEFAULT_LOOK)} on an open page.`,
				costs.length > 0 && `${costs.join(', ').replace(/^a/, 'A')}.`,
			];
			return {
				name: 'Live queries',
				state: 'fine',
				words: words.filter(Boolean).join(' '),
				figure: toCount(views, DEFAULT_LOOK),
			};
		},
	};
}

/** Of what was measured last. */
function createMean() {
	let mean: number | null = null;
	return {
		see: (ms: number) => void (mean = mean === null ? ms : mean + WEIGHT * (ms - mean)),
		words: () => (mean === null ? '' : `${mean < 10 ? mean.toFixed(2) : Math.round(mean)} ms`),
	};
}
