/** What the address asks for beside the present: a range of history, or the page at a moment. */
import { resolve } from '$app/paths';
import type { History } from '$lib/history';
import { createHistory, type HistoryView } from '$lib/stores/history';
import { createMoment, type MomentView } from '$lib/stores/moment';
import type { PageData } from './$types';

/** @param zone of the viewer; null: the page is not mounted yet */
export function createAsked(data: () => PageData, zone: () => string | null) {
	let history = $state.raw<HistoryView | null>(null);
	let moment = $state.raw<(MomentView & { asks: string }) | null>(null);

	/** equal for pages that show the same moment */
	const asks = $derived(JSON.stringify([data().at, data().state.filter, data().state.by]));
	const isOf = ({ range, filter, tables }: History) =>
		range === data().range &&
		filter.join('\n') === data().state.filter.join('\n') &&
		data().state.by.every((dimension) => dimension in tables);

	$effect(() => {
		const { range, history: initial, state } = data();
		const timeZone = zone();
		if (timeZone === null || !range) return;
		const { filter, by } = state;
		const url = resolve('/api/dashboard/history');
		return createHistory({ range, filter, by, zone: timeZone, initial, url }).subscribe(
			(view) => (history = view),
		);
	});
	$effect(() => {
		const { at, moment: initial, state } = data();
		const of = asks;
		if (zone() === null || at === null) return;
		const { filter, by } = state;
		const url = resolve('/api/dashboard/moment');
		return createMoment({ at, filter, by, initial, url }).subscribe(
			(view) => (moment = { ...view, asks: of }),
		);
	});

	return {
		/** null: the address names no range. What the server rendered, until the browser has asked in its own zone. */
		get range() {
			const { range, history: rendered } = data();
			if (!range) return null;
			const known = [history?.history, rendered].find((one) => one && isOf(one)) ?? null;
			return { range, history: known, problem: history?.problem ?? null };
		},
		/** null: the address names no time */
		get moment() {
			const { at, moment: rendered } = data();
			if (at === null) return null;
			const view = moment?.asks === asks ? moment : null;
			return { at, moment: view?.moment ?? rendered, problem: view?.problem ?? null };
		},
	};
}
