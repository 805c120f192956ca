import fc from 'fast-check';
import { call, expect, names, open, SCRIPT, test } from './guest-page';

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
const WAYS = Object.keys(BROKEN);
const MOMENTS = ['before', 'after'] as const;

/** Without JSON from the start, nothing can be written down; the page must not notice. */
const losesAll = (ways: readonly string[], moment: string) =>
	moment === 'before' && ways.some((way) => /^JSON( is|\.str)/.test(way));

test.beforeEach(({ page }) => page.clock.install());

test.describe('whatever the page broke', () => {
	let cases = 0;
	async function check(
		{ page, site }: Parameters<Parameters<typeof test>[2]>[0],
		ways: readonly string[],
		moment: string,
	) {
		const what = `${moment}: ${ways.join(', ')}`;
		const id = ++cases;
		// the second may find nothing left to break
		const code = ways.map((way) => `try { ${BROKEN[way]} } catch {}`).join('\n');
		site.events.length = site.errors.length = 0;
		site.html = ({ pathname }) =>
			pathname === '/broken'
				? `${moment === 'before' ? `<script>${code}</script>` : ''}<script src="${SCRIPT}"></script>
					${moment === 'after' ? `<script>${code}</script>` : ''}`
				: `<script src="${SCRIPT}" data-auto="false"></script>`;
		await open(page, '/broken');
		await call(page, `during ${id}`);
		await page.clock.runFor(2_000);
		await call(page, `later ${id}`);
		await page.clock.runFor(2_000);
		await open(page, '/healthy');
		await page.clock.runFor(2_000);
		await call(page, `end ${id}`);
		await page.clock.runFor(2_000);
		await expect.poll(() => names(site), what).toContain(`end ${id}`);
		expect(site.errors, what).toEqual([]);
		if (!losesAll(ways, moment))
			expect(names(site), what).toEqual(
				expect.arrayContaining(['page_view', `during ${id}`, `later ${id}`]),
			);
	}

	for (const moment of MOMENTS)
		for (const way of WAYS)
			test(`${way}, ${moment} the script came: events go on`, async ({ page, site }) => {
				await check({ page, site } as never, [way], moment);
			});

	test('two things at once: events go on, or wait for the next page', async ({ page, site }) => {
		const pair = fc.uniqueArray(fc.constantFrom(...WAYS), { minLength: 2, maxLength: 2 });
		await fc.assert(
			fc.asyncProperty(pair, fc.constantFrom(...MOMENTS), (ways, moment) =>
				check({ page, site } as never, ways, moment),
			),
			{ numRuns: 25, seed: 14 },
		);
	});
});
