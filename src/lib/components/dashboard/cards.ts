/** The cards and the chart of the page from its figures: values beside the words of `figures.ts`. Pure. */
import { FIGURE_KEYS, FIGURES, isPastFigure, toPastFigure, type FigureKey } from '../../figures';
import { DEFAULT_LOOK, toCount, type Look } from '../../format';
import type { History, HistoryRange } from '../../history';
import type { Presence, Tick, Totals } from '../../protocol';
import { RANGE_WORDS } from '../history/history';

/** What a card shows. */
export type Card = {
	key: FigureKey;
	label: string;
	/** beside the label: "30 min", "2 active · 1 idle" */
	window: string;
	definition: string;
	/** null: not known */
	value: number | null;
	/** what it is compared with; null: not recorded */
	previous: number | null;
	/** when that was: "30 min ago" */
	against: string;
};

const minutes = (ms: number) => ms / 60_000;
const toHint = (definition: string) => `${definition} Press to draw it.`;

/** The cards of the present, or of the moment at which the page is held. */
export function toLiveCards({
	totals,
	previous,
	people,
	held = false,
	look = DEFAULT_LOOK,
}: {
	totals: Totals;
	previous: Tick | null;
	/** undefined: presence is switched off */
	people?: Presence | undefined;
	held?: boolean;
	look?: Look;
}): Card[] {
	return FIGURE_KEYS.filter((key) => FIGURES[key].place === 'card').flatMap((key) => {
		if (key === 'here')
			return people === undefined ? [] : [toHereCard(people, previous, held, look)];
		const { label, windowMs, toDefinition } = FIGURES[key];
		return {
			key,
			label,
			window: `${minutes(windowMs)} min`,
			definition: toHint(toDefinition(`${minutes(windowMs)} minutes`)),
			value: totals[key],
			previous: previous?.[key] ?? null,
			against: '30 min ago',
		};
	});
}

function toHereCard(people: Presence, earlier: Tick | null, held: boolean, look: Look): Card {
	const { label, toDefinition } = FIGURES.here;
	const isKnown = people !== 'unknown';
	return {
		key: 'here',
		label: held ? 'Here then' : label,
		window: isKnown
			? `${toCount(people.active, look)} active · ${toCount(people.idle, look)} idle`
			: 'not known',
		definition: isKnown
			? toHint(toDefinition())
			: 'Not known: people have no event name, user or property to filter by, or they were not read yet.',
		value: isKnown ? people.active + people.idle : null,
		previous: earlier?.people ? earlier.people.active + earlier.people.idle : null,
		against: '30 min ago',
	};
}

/** The same cards over a range; values are null until its history has arrived. */
export function toPastCards(range: HistoryRange, history: History | null): Card[] {
	const { name, before } = RANGE_WORDS[range];
	return FIGURE_KEYS.filter(isPastFigure).flatMap((key) => {
		const words = toPastFigure(key);
		if (!words) return [];
		return {
			key,
			label: words.label,
			window: name,
			definition: toHint(words.toDefinition(name)),
			value: history?.totals[key] ?? null,
			previous: history?.previousTotals?.[key] ?? null,
			against: before,
		};
	});
}
