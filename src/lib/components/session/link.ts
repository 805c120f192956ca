/** How any row of the page gets the address that opens a session: the page says it, a few components above. */
import { createContext } from 'svelte';

const [get, set] = createContext<() => ((session: string) => string) | null>();

/** @param link null: nothing can be pressed */
export const provideSessionLink = set;

/** Call it while a component is set up. */
export function useSessionLink(): () => ((session: string) => string) | null {
	try {
		return get();
	} catch {
		// a component that is shown alone, in a test or on the page of designs
		return () => null;
	}
}
