import { expect, test } from 'vitest';
import type { RetentionStatus } from './retention';
import { toHistoryPart, toRetentionPart } from './maintenance-status';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const seen: RetentionStatus = {
	days: 90,
	startedAt: '2026-06-01T11:50:00Z',
	finishedAt: '2026-06-01T11:56:00Z',
	deleted: 12_304,
	deletedTotal: 1_200_000,
	oldestEventAt: '2026-03-03T12:00:00Z',
	error: null,
};
const say = (seen: RetentionStatus | null, failed = false) =>
	toRetentionPart(90, { seen, failed }, NOW);

test('what the last deletion did, on whichever instance it ran', () => {
	expect(say(seen)).toEqual({
		name: 'Retention',
		state: 'fine',
		words:
			'Events are kept for 90 days. The last run, 4 min ago, deleted 12,304; all runs together 1,200,000.',
		figure: 'back 90 d',
	});
	expect(say({ ...seen, deleted: 0 }).words).toContain('The last run, 4 min ago, found none older');
	expect(say({ ...seen, deleted: 0, deletedTotal: 0 }).words).toMatch(/found none older\.$/);
	expect(say({ ...seen, finishedAt: null }).words).toBe(
		'Events are kept for 90 days. Older ones are being deleted: 12,304 until now.',
	);
	expect(say(null)).toMatchObject({ words: 'Events are kept for 90 days.', figure: '' });
	expect(say({ ...seen, oldestEventAt: '2026-06-01T10:00:00Z' }).figure).toBe('back 2 h');
});

test('that it fails, and that nothing is deleted', () => {
	expect(say(seen, true)).toMatchObject({
		state: 'degraded',
		words:
			'Events are kept for 90 days. Older ones could not be deleted; it is tried again every minute.',
	});
	expect(toRetentionPart(0, { seen: null, failed: false }, NOW).words).toBe(
		'Events are kept for ever: RETENTION_DAYS is 0.',
	);
});

test('whether history is counted and ticks are thinned', () => {
	const fine = { countedAgoMs: 12_000, countFailed: false, thinFailed: false };
	expect(toHistoryPart(fine)).toMatchObject({ state: 'fine', figure: '12 s ago' });
	expect(toHistoryPart({ ...fine, countFailed: true })).toMatchObject({
		state: 'degraded',
		words: 'Events could not be counted for the ranges; it is tried again.',
	});
	expect(toHistoryPart({ ...fine, thinFailed: true }).words).toContain('thinned');
	expect(toHistoryPart({ ...fine, countedAgoMs: null }).figure).toBe('');
});
