/** Every state on `/design`, on a phone, a desk and a wall, in both themes: axe finds nothing, nothing is cut. */
import { findProblems } from './axe';
import { CASE_NAMES, expect, openCase, test } from './design';

const VIEWS = [
	{ width: 390, height: 844, colorScheme: 'light' },
	{ width: 1440, height: 900, colorScheme: 'dark' },
	{ width: 1920, height: 1080, colorScheme: 'light' },
] as const;

for (const name of CASE_NAMES)
	test(`${name}: axe finds nothing, and nothing scrolls sideways`, async ({ page, design }) => {
		test.slow();
		await openCase(page, design, name);
		const problems: string[] = [];
		for (const { width, height, colorScheme } of VIEWS) {
			await page.setViewportSize({ width, height });
			await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
			await expect(page.locator('html')).toHaveClass(new RegExp(`\\b${colorScheme}\\b`));
			const found = await findProblems(page);
			problems.push(...found.map((problem) => `${width} px, ${colorScheme}: ${problem}`));
			const wide = await page.evaluate(() => document.documentElement.scrollWidth);
			if (wide > width) problems.push(`${width} px: the page is ${wide} px wide`);
		}
		expect(problems).toEqual([]);
	});
