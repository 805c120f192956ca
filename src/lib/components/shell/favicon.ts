/** How the stream stands, as the needle shows it. */
export type NeedleState = 'live' | 'waiting' | 'away';

const PAPER = '#fbfaf7';
const INK = '#171b24';
const SIGNAL = '#f0512f';
const REST = '#7b808a';

const NEEDLE = {
	live: `<path d="M24 3v26" stroke="${SIGNAL}" stroke-width="4"/>`,
	waiting: `<path d="M24 3v26" stroke="${SIGNAL}" stroke-width="4" stroke-dasharray="5 5.5"/>`,
	away: `<path d="M24 3v9M24 25v4" stroke="${REST}" stroke-width="4"/>`,
} as const satisfies Record<NeedleState, string>;

/** The mark of the page as an SVG document: three ticks and the now line, which shows the state. */
export function faviconSvg(state: NeedleState): string {
	const ticks = state === 'away' ? REST : INK;
	return (
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="${PAPER}"/>` +
		`<path d="M6 20v9M11 15v14M17 11v18" stroke="${ticks}" stroke-width="3"/>${NEEDLE[state]}</svg>`
	);
}

/** A `data:` URL for `<link rel="icon">`. */
export function faviconUrl(state: NeedleState): string {
	return `data:image/svg+xml,${encodeURIComponent(faviconSvg(state))}`;
}
