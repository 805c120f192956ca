/**
 * The mark of a kind of event: a shape and a quiet tone that follow from its name alone, so that the same name has the same mark
 * in every list, on every screen and after every restart. Pure.
 */
import { PAGE_VIEW } from '../../protocol';

/** Tokens of app.css, `--mark-…`. Never the signal colour. */
export const TONES = ['sea', 'moss', 'plum', 'ochre', 'slate'] as const;

/** Paths in a square of 12, distinct without colour; filled, and drawn as an outline. */
const OUTLINES = [
	'M6 1.6 10.4 6 6 10.4 1.6 6Z',
	'M2.2 2.2h7.6v7.6H2.2Z',
	'M6 1.8 10.6 9.8H1.4Z',
	'M6 10.2 1.4 2.2h9.2Z',
	'M3.6 1.8h4.8L10.8 6 8.4 10.2H3.6L1.2 6Z',
	'M4.6 1.6h2.8v3h3v2.8h-3v3H4.6v-3h-3V4.6h3Z',
] as const;
const CIRCLE = 'M6 2.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 1 1 0-7.6Z';

export type Mark = { path: string; isFilled: boolean; tone: (typeof TONES)[number] };

/** A page view, which most events are, has the quietest mark, which nothing else has. */
const PAGE_VIEW_MARK: Mark = { path: CIRCLE, isFilled: false, tone: 'slate' };

/** @returns path, tone and whether it is filled; page views have a mark of their own */
export function toMark(name: string): Mark {
	if (name === PAGE_VIEW) return PAGE_VIEW_MARK;
	const hash = toHash(name);
	const path = OUTLINES[hash % OUTLINES.length] ?? OUTLINES[0];
	const rest = Math.floor(hash / OUTLINES.length);
	const tone = TONES[rest % TONES.length] ?? TONES[0];
	return { path, isFilled: Math.floor(rest / TONES.length) % 2 === 0, tone };
}

/** With it the commonest names (click, signup, purchase, …) have twelve different shapes. */
const SEED = 49_009;

/** FNV-1a, with its bits mixed once more: short names differ in few of them. */
function toHash(text: string): number {
	let hash = SEED;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	return (hash ^ (hash >>> 13)) >>> 0;
}
