/** What the guide's nginx means for people: a real browser with twenty visible tabs, over HTTP/2 and TLS. */
import { chromium } from 'playwright';
import { expect, onTestFinished, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { post } from '../setup/follow-http';
import { startBehindGuide } from './behind-guide';
import { GUIDE_NAME } from './guide';

const TABS = 20;
/** Twenty pages are drawn by the machine that also serves them. */
const SHOWN_MS = 20_000;

test(`${TABS} visible tabs in Chromium behind nginx: each is live, over HTTP/2, and shows the event`, async () => {
	const { app, port } = await startBehindGuide('nginx');
	const { args = [], ...options } = chromiumLaunchOptions();
	const browser = await chromium.launch({
		...options,
		args: [...args, `--host-resolver-rules=MAP ${GUIDE_NAME} 127.0.0.1:${port}`],
	});
	onTestFinished(() => browser.close());
	const context = await browser.newContext({ ignoreHTTPSErrors: true });
	const pages = await Promise.all(Array.from({ length: TABS }, () => context.newPage()));
	for (const page of pages) await page.goto(`https://${GUIDE_NAME}/`);
	const all = <T>(ask: (page: (typeof pages)[number]) => Promise<T>) =>
		Promise.all(pages.map((page) => ask(page)));
	const says = (text: string) =>
		expect
			.poll(() => all((page) => page.getByText(text, { exact: true }).first().isVisible()), {
				timeout: SHOWN_MS,
			})
			.toEqual(Array(TABS).fill(true));

	await says('Live');
	expect(await post(app.url, { name: 'seen by all' })).toBe(202);
	await says('seen by all');
	// visible all of them, none of which has given its stream to another
	expect(
		await all((page) =>
			page.evaluate(() => [
				document.visibilityState,
				...performance
					.getEntriesByType('navigation')
					.map((entry) => (entry as PerformanceNavigationTiming).nextHopProtocol),
			]),
		),
	).toEqual(Array(TABS).fill(['visible', 'h2']));
}, 120_000);
