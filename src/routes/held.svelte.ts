/**
 * The page at a moment: paused, from what it has shown, or at a time of its address, from the server. The stream goes on
 * underneath. One board is kept, however long it lasts.
 */
import type { Before } from '$lib/history';
import type { Past } from '$lib/components/history/history';
import type { Moment } from '$lib/protocol';
import { atMoment, type Dashboard } from '$lib/stores/board';
import type { MomentView } from '$lib/stores/moment';

/** What the page shows instead of the present. */
export type Held = {
	kind: 'paused' | 'past';
	/** ms */
	at: number;
	/** null: not read yet */
	board: Dashboard | null;
	before: Before | null;
	/** a range of history that was shown; null: none */
	range: Past | null;
	/** events that arrived since; null: not known */
	since: number | null;
	atLeast: boolean;
	problem: string | null;
};

type Now = { board: Dashboard; now: number; before: Before | null; range: Past | null };

/**
 * @param view changes with what the page asks for: what was kept is of another view then
 * @param present what the page would show now
 * @param past the time of the address, and what the server says of it; null: there is none
 */
export function createHeld({
	view,
	present,
	past,
}: {
	view: () => string;
	present: () => Now;
	past: () => ({ at: number } & MomentView) | null;
}) {
	let paused = $state.raw<(Now & { view: string }) | null>(null);
	/** shown while the next one is read */
	let last: { view: string; moment: Moment } | null = null;

	const held: Held | null = $derived.by(() => {
		const { board } = present();
		const asked = past();
		if (asked) {
			const { at, moment, problem } = asked;
			if (moment) last = { view: view(), moment };
			const shown = moment ?? (last?.view === view() ? last.moment : null);
			const known = shown ? atMoment(board, shown) : null;
			const unknown = { before: null, range: null, since: null, atLeast: false };
			return { kind: 'past', at, board: known, problem, ...unknown };
		}
		if (!paused || paused.view !== view()) return null;
		const since = board.received - paused.board.received;
		const atLeast = board.resets !== paused.board.resets;
		const { now: at, board: shown, before, range } = paused;
		return { kind: 'paused', at, board: shown, before, range, since, atLeast, problem: null };
	});

	return {
		get now() {
			return held;
		},
		pause() {
			paused = { ...present(), view: view() };
		},
		release() {
			paused = null;
		},
	};
}
