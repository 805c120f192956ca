/**
 * The browser's storages may be blocked, full or absent, and then every touch throws: to visitors who block them, the
 * tracker must be neither broken nor loud. A newcomer forgets that reading the property alone throws already.
 */

/** @returns what the action returns, undefined when it throws */
export function attempt<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch {
		// blocked or full: go on without
	}
}
