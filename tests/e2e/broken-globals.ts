/** Pages that broke what the tracker uses, before or after it came, alone and in pairs. */
import { call, expect, names, open, type Cases, type Guest } from './guest-page';

/** Ways in which pages break what the tracker uses. `text`: JSON itself, without which nothing new can be written down. */
const BROKEN: Record<string, string> = {
	'fetch is missing': 'delete window.fetch; window.fetch = undefined',
	'fetch throws': 'window.fetch = () => { throw new Error("fetch") }',
	'fetch rejects': 'window.fetch = () => Promise.reject(new Error("fetch"))',
	'fetch returns nothing': 'window.fetch = () => {}',
	'fetch answers without headers': 'window.fetch = async () => ({ status: 500 })',
	'fetch answers nothing': 'window.fetch = async () => undefined',
	'fetch answers a text': 'window.fetch = async () => "ok"',
	'AbortSignal is missing': 'window.AbortSignal = undefined',
	'AbortSignal throws': 'AbortSignal.timeout = () => { throw new Error("signal") }',
	'history is frozen': 'Object.freeze(history); Object.freeze(History.prototype)',
	'history throws':
		'for (const name of ["pushState", "replaceState"]) Object.defineProperty(History.prototype, name, { get() { throw new Error("history") } })',
	'history has no pushState': 'History.prototype.pushState = undefined',
	'sendBeacon is missing': 'navigator.sendBeacon = undefined',
	'sendBeacon throws': 'navigator.sendBeacon = () => { throw new Error("beacon") }',
	'sendBeacon refuses': 'navigator.sendBeacon = () => false',
	'storage throws':
		'for (const name of ["sessionStorage", "localStorage"]) Object.defineProperty(window, name, { get() { throw new Error("storage") } })',
	'storage is missing':
		'for (const name of ["sessionStorage", "localStorage"]) Object.defineProperty(window, name, { value: undefined })',
	'storage is an empty object':
		'for (const name of ["sessionStorage", "localStorage"]) Object.defineProperty(window, name, { value: {} })',
	'JSON.parse throws': 'JSON.parse = () => { throw new Error("JSON") }',
	'JSON.stringify throws': 'JSON.stringify = () => { throw new Error("JSON") }',
	'JSON is missing': 'window.JSON = undefined',
	'Array.prototype.toJSON is there': 'Array.prototype.toJSON = () => "[]"',
	'crypto is missing': 'Object.defineProperty(window, "crypto", { value: undefined })',
	'URL is a text': 'window.URL = window.URLSearchParams = "https://other.example"',
	'performance is missing': 'Object.defineProperty(window, "performance", { value: undefined })',
	'the console throws': 'console.warn = () => { throw new Error("console") }',
};
export const WAYS = Object.keys(BROKEN);
export const MOMENTS = ['before', 'after'] as const;
export type Moment = (typeof MOMENTS)[number];

/** Without JSON from the start, nothing can be written down; the page must not notice. */
const losesAll = (ways: readonly string[], moment: Moment) =>
	moment === 'before' && ways.some((way) => /^JSON( is|\.str)/.test(way));

/** Then all goes with the beacon of a page that is left, which no route of a test sees (tracker.spec.ts has one to a server). */
const leavesByBeacon = (ways: readonly string[]) =>
	ways.some((way) => /^fetch (rejects|answers)/.test(way)) &&
	ways.some((way) => way.startsWith('storage'));

/** Whatever the page broke: nothing is thrown, later events go on or wait for the next page. */
async function check(guest: Guest, ways: readonly string[], moment: Moment) {
	const { page, site } = guest;
	// the second may find nothing left to break
	const code = ways.map((way) => `try { ${BROKEN[way]} } catch {}`).join('\n');
	site.html = ({ pathname }) =>
		pathname === '/broken'
			? `${moment === 'before' ? `<script>${code}</script>` : ''}<script src="${site.script}"></script>
				${moment === 'after' ? `<script>${code}</script>` : ''}`
			: `<script src="${site.script}" data-auto="false"></script>`;
	await open(guest, '/broken');
	await call(page, 'during');
	await page.clock.runFor(2_000);
	await call(page, 'later');
	await page.clock.runFor(2_000);
	await open(guest, '/healthy');
	await page.clock.runFor(2_000);
	await call(page, 'end');
	await page.clock.runFor(2_000);
	const isLost = losesAll(ways, moment) || leavesByBeacon(ways);
	const expected = isLost ? ['end'] : ['page_view', 'during', 'later', 'end'];
	await expect.poll(() => names(site)).toEqual(expect.arrayContaining(expected));
}

/** @param sets ways that are broken together; they need the test's clock */
export const brokenPages = (
	sets: readonly (readonly string[])[],
	moments: readonly Moment[] = MOMENTS,
): Cases =>
	Object.fromEntries(
		moments.flatMap((moment) =>
			sets.map((ways) => [
				`${ways.join(', ')}, ${moment} the script came`,
				(guest: Guest) => check(guest, ways, moment),
			]),
		),
	);
