/** The list of sessions that are here: the page reads it on demand, and says how a few components above. Pure but for that. */
import { createContext } from 'svelte';
import { toValueText } from '../../breakdowns';
import type { Look } from '../../format';
import type { PeopleList, Person } from '../../people';

/** Reads the list under a filter, in the query; rejects when there is no answer. */
export type ReadHere = (query: URLSearchParams, signal: AbortSignal) => Promise<PeopleList>;

const [get, set] = createContext<() => ReadHere | null>();

/** @param read null: nothing can be asked for */
export const provideHere = set;

/** Call it while a component is set up. */
export function useHere(): () => ReadHere | null {
	try {
		return get();
	} catch {
		// a component that is shown alone, in a test or on the page of designs
		return () => null;
	}
}

/** Place and device of a person, as far as they are known: "Germany · Mobile · Safari". */
export function toPlaceText({ context }: Person, look: Look): string {
	const name = (key: 'country' | 'device') =>
		context?.[key] && toValueText(key, context[key], look);
	return [name('country'), name('device'), context?.browser].filter(Boolean).join(' · ');
}
