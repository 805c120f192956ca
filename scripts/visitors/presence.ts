/**
 * What the simulated visitors say of being here, as their browsers would: every 15 s, and at once when the page changes and
 * when they leave. Some rest, some go to another tab, and some are lost without a word. Pure, without a clock.
 */
import { HERE_EVERY_MS } from '../../src/lib/presence';
import { PAGE_VIEW } from '../../src/lib/protocol';
import type { Random } from './random';
import type { Visitor } from './site';
import type { Timed } from './visitors';

/** One item of POST /api/presence; `timestamp` and `input` share the clock of the simulation. */
type Said = {
	sessionId: string;
	state: 'visible' | 'hidden' | 'gone';
	path?: string;
	context: Visitor;
	timestamp: number;
	input: number;
};
type Stay = {
	path: string;
	context: Visitor;
	from: object;
	inputUntilMs: number;
	hidesAtMs: number;
	leavesAtMs: number;
	isLost: boolean;
	nextAtMs: number;
};

/** Of the time until the next deed: after it a visitor only reads. */
const BUSY_SHARE = 0.5;
const HIDES_SHARE = 0.15;
const LOST_SHARE = 0.1;
/** Any time does, since both are said: the simulation's begins here. */
const EPOCH_MS = Date.UTC(2020, 0);

export function createPresence(random: Random) {
	const stays = new Map<string, Stay>();
	return {
		/** What a visitor did; only their browser says that they are here. */
		saw({ atMs, event, staysMs, leaves }: Timed): void {
			const { sessionId, name, source, properties, context } = event;
			const known = stays.get(sessionId);
			if (source !== 'web' && !known) return;
			const { path, referrer, utm_source, utm_medium, utm_campaign } = properties;
			const isView = name === PAGE_VIEW;
			const isLost = random() < LOST_SHARE;
			const hides = random() < HIDES_SHARE;
			stays.set(sessionId, {
				path: isView ? `${path}` : (known?.path ?? '/'),
				context,
				from: isView ? { referrer, utm_source, utm_medium, utm_campaign } : {},
				inputUntilMs: atMs + staysMs * BUSY_SHARE,
				hidesAtMs: hides ? atMs + staysMs * BUSY_SHARE : Infinity,
				leavesAtMs: leaves ? atMs + staysMs : Infinity,
				isLost,
				nextAtMs: atMs,
			});
		},
		/** What is said until then, and not yet. */
		due(nowMs: number): Said[] {
			const said: Said[] = [];
			for (const [sessionId, stay] of stays) {
				const isOver = nowMs >= stay.leavesAtMs;
				const isHidden = nowMs >= stay.hidesAtMs;
				if (isOver) stays.delete(sessionId);
				else if (nowMs < stay.nextAtMs && !isHidden) continue;
				// a page in the background says so once
				if (isHidden && stay.nextAtMs === Infinity && !isOver) continue;
				stay.nextAtMs = isHidden ? Infinity : nowMs + HERE_EVERY_MS;
				if (isOver && stay.isLost) continue;
				const input = EPOCH_MS + Math.min(nowMs, stay.inputUntilMs);
				const state = isOver ? 'gone' : isHidden ? 'hidden' : 'visible';
				said.push({
					sessionId,
					state,
					path: stay.path,
					context: stay.context,
					timestamp: EPOCH_MS + nowMs,
					input,
					...stay.from,
				});
			}
			return said;
		},
	};
}
