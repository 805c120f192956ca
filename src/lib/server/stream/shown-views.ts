/** The views that clients ask for: scans those that are not there yet, and answers from memory for those that are. */
import { PROPS, type Dimension } from '../../dimensions';
import { toMeasures } from '../../measures';
import type { Values } from '../../history';
import type { DashboardState } from '../../protocol';
import { createEmptyState, type Shown } from '../live/state';
import { toViewKey, type ViewSpec } from '../live/views';
import type { PeopleFrames } from './people-frames';
import type { Live, Reading } from './publisher';
import type { WatchedViews } from './watched-views';

export type ShownViews = ReturnType<typeof createShownViews>;

/** @param becomesUp resolves when the database answers again */
export function createShownViews({
	reading,
	watched,
	people,
	becomesUp,
}: {
	reading: Reading;
	watched: WatchedViews;
	people: Pick<PeopleFrames, 'join'>;
	becomesUp: () => Promise<void>;
}) {
	function find(view: ViewSpec): Shown | undefined {
		const live = reading.live();
		const shown = live?.state.shown(toViewKey(view));
		if (shown) {
			watched.admit(shown.open.key);
			live?.views.touch(shown.open.key);
		}
		return shown;
	}

	/** Scans the view; waits for the first reading. */
	async function scan(view: ViewSpec) {
		while (!reading.live()) await becomesUp();
		await reading.open(view);
	}

	async function ready(view: ViewSpec) {
		while (reading.live() && !find(view)) await scan(view);
	}

	const stateOf = (shown: Shown) =>
		people.join(shown.open, (reading.live() as Live).state.of(shown));

	return {
		find,
		scan,
		/** Resolves at once before the first reading. */
		ready,
		stateOf,
		state(view: ViewSpec): DashboardState {
			const shown = find(view);
			return shown ? stateOf(shown) : people.join(view, createEmptyState(view));
		},
		async values(
			view: ViewSpec,
			dimension: Dimension,
			text: string,
			length: number,
		): Promise<Values> {
			await ready(view);
			const at = new Date(reading.live()?.store.at() ?? 0).toISOString();
			const breakdown = find(view)?.open.view.breakdown(dimension);
			if (!breakdown) return { dimension, at, rows: [], other: 0, values: 0, measures: null };
			const isMeasured = dimension.startsWith(PROPS) && breakdown.others() === 0;
			const measures = isMeasured ? toMeasures(breakdown.each()) : null;
			const table = breakdown.find(text, length);
			return { dimension, at, ...table, values: breakdown.size(), measures };
		},
		knows(view: ViewSpec): boolean {
			const key = toViewKey(view);
			return watched.isWatched(key) || reading.live()?.state.shown(key) !== undefined;
		},
	};
}
