/** A line plot as SVG that reads in light and dark. Pure; what it shows is also in a table beside it. */

export type Plot = {
	title: string;
	x: string;
	y: string;
	/** scales; default: linear */
	logX?: boolean;
	logY?: boolean;
	series: { name: string; points: [x: number, y: number][] }[];
};

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 72;
const RIGHT = 150;
const TOP = 40;
const BOTTOM = 52;
/**
 * Okabe and Ito's colours, which colour-blind people can distinguish; the middle ones, visible on white and
 * black.
 */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#999999', '#e69f00'];

export function toPlot({ title, x, y, logX = false, logY = false, series }: Plot): string {
	const points = series.flatMap((one) => one.points);
	const toX = toScale(
		points.map(([x]) => x),
		logX,
		LEFT,
		WIDTH - RIGHT,
	);
	const toY = toScale(
		points.map(([, y]) => y),
		logY,
		HEIGHT - BOTTOM,
		TOP,
	);
	const marks = (scale: Scale) =>
		scale.ticks.map((tick) => [scale.at(tick), toText(tick)] as const);
	const lines = series.map(({ name, points }, i) => {
		const colour = COLOURS[i % COLOURS.length];
		const at = points.map(([x, y]) => `${toX.at(x).toFixed(1)},${toY.at(y).toFixed(1)}`);
		const dots = at.map((one) => {
			const [cx, cy] = one.split(',');
			return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
		});
		const label = `<text x="${WIDTH - RIGHT + 30}" y="${TOP + 12 + 20 * i}">${escape(name)}</text>`;
		const sample = `<path d="M${WIDTH - RIGHT + 8} ${TOP + 8 + 20 * i}h16" stroke="${colour}" stroke-width="2"/>`;
		return `<polyline points="${at.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}${sample}${label}`;
	});
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">
<style>text{font:12px system-ui,sans-serif;fill:#555}.grid{stroke:#888;stroke-opacity:.25}@media(prefers-color-scheme:dark){text{fill:#bbb}}</style>
<text x="${LEFT}" y="22" font-weight="600">${escape(title)}</text>
${marks(toY)
	.map(
		([at, text]) =>
			`<path class="grid" d="M${LEFT} ${at.toFixed(1)}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${(at + 4).toFixed(1)}" text-anchor="end">${text}</text>`,
	)
	.join('\n')}
${marks(toX)
	.map(
		([at, text]) =>
			`<text x="${at.toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${text}</text>`,
	)
	.join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escape(x)}</text>
<text transform="translate(16 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escape(y)}</text>
${lines.join('\n')}
</svg>
`;
}

type Scale = { at: (value: number) => number; ticks: number[] };

/** `from` and `to` in pixels; linear scales begin at 0 */
function toScale(values: number[], log: boolean, from: number, to: number): Scale {
	const highest = Math.max(...values);
	if (log) {
		const low = Math.floor(Math.log10(Math.min(...values.filter((value) => value > 0))));
		const high = Math.max(low + 1, Math.ceil(Math.log10(highest)));
		const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
		const share = (value: number) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
		return { at: (value) => from + share(value) * (to - from), ticks };
	}
	const rough = highest / 5;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) as number;
	const top = step * Math.ceil(highest / step);
	const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);
	return { at: (value) => from + (value / top) * (to - from), ticks };
}

function toText(value: number): string {
	return value >= 1_000 ? value.toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function escape(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
