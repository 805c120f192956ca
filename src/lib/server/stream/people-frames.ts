/** Joins who is here to the states of views, and makes a frame of what has changed since the last one. */
import type { DashboardState, Presence } from '../../protocol';
import type { State } from '../live/state';
import { ALL, type ViewSpec } from '../live/views';
import type { PresenceReader } from '../presence/presence';
import { toPresence } from './frames';
import type { Frame } from './ring';
import type { WatchedViews } from './watched-views';

export type PeopleFrames = {
	/** The state with the people of its view; the same object while neither has changed. */
	join(view: ViewSpec, state: DashboardState): DashboardState;
	/** null: no one came, left or moved in any view that is watched. */
	next(state: State, watched: WatchedViews): Frame | null;
};

/** @param presence null: it is switched off, and states say nothing of people */
export function createPeopleFrames(
	presence: Pick<PresenceReader, 'of' | 'keep'> | null,
): PeopleFrames {
	/** what the newest frames said of each view */
	let told = new Map<string, Presence>();
	const joined = new WeakMap<DashboardState, DashboardState>();

	return {
		join(view, state) {
			if (!presence) return state;
			const people = presence.of(view);
			const known = joined.get(state);
			if (known?.people === people) return known;
			const whole = { ...state, people };
			joined.set(state, whole);
			return whole;
		},
		next(state, watched) {
			if (!presence) return null;
			const views: ViewSpec[] = [ALL, ...watched.specs()];
			presence.keep(views);
			const before = told;
			told = new Map();
			return toPresence(state, watched, (open) => {
				const people = presence.of(open);
				told.set(open.key, people);
				return before.get(open.key) === people ? null : people;
			});
		},
	};
}
