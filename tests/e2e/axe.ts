/** What axe has against a page, as lines to read: rule, element, reason. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Half the work: what passes is not told, and files are not fetched again, which only a rule about sound needs. */
const QUICK = { resultTypes: ['violations' as const], preload: false };

export async function findProblems(page: Page): Promise<string[]> {
	// "+24" beside the feed's title fades out: half faded it has no contrast, and is no more to be read
	const axe = new AxeBuilder({ page })
		.options({ ...QUICK, runOnly: { type: 'tag', values: TAGS } })
		.exclude('.group');
	// there are no frames, so the results need no page of their own
	const { violations } = await axe.setLegacyMode().analyze();
	return violations.flatMap(({ id, help, nodes }) =>
		nodes.map(({ target, any, all, none }) => {
			const reasons = [...any, ...all, ...none].map(({ message }) => message);
			return `${id} (${help}): ${target.join(' ')}: ${reasons.join('; ')}`;
		}),
	);
}
