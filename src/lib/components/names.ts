import type { ActivityEvent } from '../protocol';

/** What fits beside the feed's first screen; the rarer names are one row. */
const MOST_ROWS = 7;

/** Events counted by name, the most frequent first. The counts add up to the number of events. */
export function toRows(events: ActivityEvent[]): [name: string, count: number][] {
	const counts = new Map<string, number>();
	for (const { name } of events) counts.set(name, (counts.get(name) ?? 0) + 1);
	const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
	if (sorted.length <= MOST_ROWS) return sorted;
	const rare = sorted.slice(MOST_ROWS - 1);
	const count = rare.reduce((sum, [, n]) => sum + n, 0);
	return [...sorted.slice(0, MOST_ROWS - 1), [`${rare.length} other names`, count]];
}
