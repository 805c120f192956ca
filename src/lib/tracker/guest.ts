/**
 * How to behave on a page that others wrote: nothing throws into it, and nothing that it may have changed is relied on.
 * Named elements shadow members of `document`, globals are replaced, storage is blocked, old libraries add `toJSON`.
 */

/** @returns what the action returns, undefined when it throws */
export function attempt<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch {
		// blocked, full, missing or replaced: go on without
	}
}

/** For the site's developers; never an error, which would count as one of the page's. */
export const warn = (reason: unknown) => attempt(() => console.warn('nowboard:', reason));

/** A member of `document` as the browser defines it: `<img name="title">` shadows only the object's own. */
export const ofDocument = <Value>(name: string) =>
	attempt(() => Reflect.get(Document.prototype, name, document) as Value);

/** What a script has set on `window`: `<a id="nowboardConfig">` is a member of it too, but not its own. */
export const ofWindow = <Value>(name: string) =>
	Object.getOwnPropertyDescriptor(window, name)?.value as Value | undefined;

/** In the capturing phase, `window` hears what happens to the document too. */
export const listen = (type: string, action: (event: Event) => void) =>
	attempt(() => addEventListener(type, action, true));

/** JSON for the page, whatever it makes of JSON later, and without the `Array.prototype.toJSON` of Prototype before 1.7. */
const stringify = attempt(() => JSON.stringify);
export const toJson = (value: unknown) =>
	(stringify ?? JSON.stringify)(
		value,
		function (this: Record<string, unknown>, key: string, json: unknown) {
			const own = this[key];
			return Array.isArray(own) ? own : json;
		},
	);
