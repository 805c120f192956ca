/**
 * Every state on `/design`, on a phone, a desk and a wall, in both themes: axe finds nothing, nothing is cut, and it looks as it
 * did (pictures in tests/e2e/looks). After a change that is meant, `npm run looks` renews them; look at them before they
 * are committed.
 */
import { findProblems } from './axe';
import { CASE_NAMES, expect, openCase, test } from './design';

const VIEWS = [
	{ view: 'phone', width: 390, height: 844, colorScheme: 'light' },
	{ view: 'desk', width: 1280, height: 800, colorScheme: 'dark' },
	{ view: null, width: 1920, height: 1080, colorScheme: 'light' },
] as const;
/** Times are part of the look. */
const TIME = new Date('2026-03-14T09:26:53Z');

test.use({ timezoneId: 'UTC', locale: 'en-GB' });

for (const name of CASE_NAMES)
	test(`${name}: axe finds nothing, nothing scrolls sideways, and it looks as it did`, async ({
		page,
		design,
	}) => {
		test.slow();
		await page.clock.setFixedTime(TIME);
		await page.setViewportSize(VIEWS[0]);
		await page.emulateMedia({ reducedMotion: 'reduce' });
		await openCase(page, design, name, { still: true });
		const problems: string[] = [];
		for (const { view, width, height, colorScheme } of VIEWS) {
			await page.setViewportSize({ width, height });
			await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
			await expect(page.locator('html')).toHaveClass(new RegExp(`\\b${colorScheme}\\b`));
			const found = await findProblems(page);
			problems.push(...found.map((problem) => `${width} px, ${colorScheme}: ${problem}`));
			const wide = await page.evaluate(() => document.documentElement.scrollWidth);
			if (wide > width) problems.push(`${width} px: the page is ${wide} px wide`);
			if (view) await expect.soft(page).toHaveScreenshot(`${name}-${view}.png`);
		}
		expect(problems).toEqual([]);
	});

test('(control) another colour, another size and another place are seen', async ({
	page,
	design,
}) => {
	test.slow();
	await page.clock.setFixedTime(TIME);
	await page.setViewportSize(VIEWS[1]);
	await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
	await openCase(page, design, 'quiet', { still: true });
	await expect(page).toHaveScreenshot('quiet-desk.png');
	for (const content of [
		'html { --ink: oklch(0.8 0.1 262) !important }',
		'main { zoom: 1.02 }',
		'main { padding-top: 4px !important }',
	]) {
		const style = await page.addStyleTag({ content });
		await expect(page, content).not.toHaveScreenshot('quiet-desk.png');
		await style.evaluate((element) => (element as Element).remove());
	}
});
