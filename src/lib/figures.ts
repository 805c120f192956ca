/**
 * The figures of the page, each one entry: its words, its window and its place.
 * The order here is the order on the page. Pure, for the server and the browser.
 */
import type { HistoryFigures } from './history';
import { COUNT_WINDOW_MS, RATE_WINDOW_MS, SESSION_WINDOW_MS, type Totals } from './protocol';
import { toCompact, toCount, type Look } from './format';

/** How a figure is written: whole, and short where there is little room. */
type Format = { whole: (value: number, look: Look) => string; short: Format['whole'] };
const COUNT: Format = { whole: toCount, short: toCompact };

export type Figure = {
	label: string;
	/** singular and plural of what is counted */
	unit: [one: string, many: string];
	/** 0: this moment */
	windowMs: number;
	/** @param time the window in words: "30 minutes" */
	toDefinition: (time: string) => string;
	format: Format;
	/** as a card of the page, or as a number beside the chart */
	place: 'card' | 'chart';
	/** over a range of history, where that means something else; null: history does not have it */
	past?: { label: string; toDefinition: (time: string) => string } | null;
};

/** `here`: the people of presence, beside the totals of events. */
export type FigureKey = keyof Totals | 'here';

export const FIGURES = {
	here: {
		label: 'Here now',
		unit: ['session here now', 'sessions here now'],
		windowMs: 0,
		toDefinition: () =>
			'Sessions with a page open at this moment. Active: input or an event in the last 30 seconds. Idle: visible without it, or just put into the background.',
		format: COUNT,
		place: 'card',
		past: null,
	},
	pageViews: {
		label: 'Page views',
		unit: ['page view', 'page views'],
		windowMs: COUNT_WINDOW_MS,
		toDefinition: (time) => `Events named page_view in the last ${time}.`,
		format: COUNT,
		place: 'card',
	},
	activeSessions: {
		label: 'Active sessions',
		unit: ['active session', 'active sessions'],
		windowMs: SESSION_WINDOW_MS,
		toDefinition: (time) =>
			`Different session ids among the events of the last ${time}. Each counts once.`,
		format: COUNT,
		place: 'card',
		past: {
			label: 'Most active sessions',
			toDefinition: (time) =>
				`The highest count of active sessions recorded in the last ${time}, without a filter.`,
		},
	},
	eventsCount: {
		label: 'Events',
		unit: ['event', 'events'],
		windowMs: COUNT_WINDOW_MS,
		toDefinition: (time) => `All events of the last ${time}, page views included.`,
		format: COUNT,
		place: 'card',
	},
	eventsPerMinute: {
		label: 'Events per minute',
		unit: ['event per minute', 'events per minute'],
		windowMs: RATE_WINDOW_MS,
		toDefinition: (time) => `All events of the last ${time}.`,
		format: COUNT,
		place: 'chart',
		past: null,
	},
} as const satisfies Record<FigureKey, Figure>;

export const FIGURE_KEYS = Object.keys(FIGURES) as FigureKey[];
/** Drawn while no other card has been pressed. */
export const FIRST_FIGURE: keyof HistoryFigures = 'eventsCount';

/** The figure's words over a range of history; null: history does not have it. */
export function toPastFigure(key: FigureKey): Pick<Figure, 'label' | 'toDefinition'> | null {
	const figure: Figure = FIGURES[key];
	return figure.past === undefined ? figure : figure.past;
}
/** Whether history has this figure. */
export const isPastFigure = (key: FigureKey): key is keyof HistoryFigures =>
	toPastFigure(key) !== null;
