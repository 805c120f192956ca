import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TONES } from './lib/components/feed/marks';

/** The tokens of one theme as they stand in app.css: name → [lightness, chroma, hue]. */
function readTokens(css: string): Map<string, [number, number, number]> {
	const tokens = new Map<string, [number, number, number]>();
	for (const [, name, l, c, h] of css.matchAll(/--([a-z-]+): oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)/g))
		tokens.set(name ?? '', [Number(l), Number(c), Number(h)]);
	return tokens;
}

/** Relative luminance (WCAG 2) of an OKLCH colour, clipped to sRGB; matrices from the CSS Color 4 sample code. */
function toLuminance([lightness, chroma, hue]: [number, number, number]): number {
	const a = chroma * Math.cos((hue * Math.PI) / 180);
	const b = chroma * Math.sin((hue * Math.PI) / 180);
	const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
	const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
	const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
	const clip = (value: number) => Math.min(1, Math.max(0, value));
	const red = clip(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
	const green = clip(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
	const blue = clip(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const css = readFileSync(new URL('./app.css', import.meta.url), 'utf8');
const night = css.indexOf('@variant dark');
const themes = {
	light: readTokens(css.slice(0, night)),
	dark: readTokens(css.slice(night)),
};

function contrast(theme: keyof typeof themes, one: string, other: string): number {
	const luminances = [one, other].map((name) => {
		const token = themes[theme].get(name);
		if (!token) throw new Error(`app.css has no token --${name} in the ${theme} theme`);
		return toLuminance(token) + 0.05;
	});
	return Math.max(...luminances) / Math.min(...luminances);
}

const TEXT = 4.5;
const GRAPHIC = 3;

test.each([
	['ink', 'paper', TEXT],
	['ink', 'sunk', TEXT],
	['rest', 'paper', TEXT],
	['rest', 'sunk', TEXT],
	['signal-ink', 'paper', TEXT],
	['signal', 'paper', GRAPHIC],
	['edge', 'paper', GRAPHIC],
	...TONES.map((tone) => [`mark-${tone}`, 'paper', GRAPHIC] as const),
	...TONES.map((tone) => [`mark-${tone}`, 'sunk', GRAPHIC] as const),
] as const)('%s on %s has the contrast of WCAG AA in both themes', (one, other, least) => {
	expect(contrast('light', one, other)).toBeGreaterThanOrEqual(least);
	expect(contrast('dark', one, other)).toBeGreaterThanOrEqual(least);
});
