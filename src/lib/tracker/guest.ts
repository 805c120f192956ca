/**
 * How to behave on a page that others wrote: never throw into it, and rely on nothing that it may have changed. Named
 * elements shadow members of `document`, scripts replace globals, browsers block storage, old libraries add `toJSON`.
 */

/** @returns what the action returns, undefined when it throws */
export function attempt<T>(action: () => T, onError?: (error: unknown) => void): T | undefined {
	try {
		return action();
	} catch (error) {
		onError?.(error);
	}
}

/** For the site's developers. Not console.error: that would count as an error of the page. */
export const warn = (reason: unknown) => attempt(() => console.warn('nowboard:', reason));

/** A member of `document` as the browser defines it: `<img name="title">` shadows only the object's own. */
export const ofDocument = <Value>(name: string) =>
	attempt(() => Reflect.get(Document.prototype, name, document) as Value);

/** In the capturing phase, `window` receives the events of the document too. */
export const listen = (type: string, action: (event: Event) => void) =>
	attempt(() => addEventListener(type, action, true));

/** Writes the value if one is given. @returns what is stored now, undefined where storage is blocked or full */
export const stored = (
	key: string,
	value?: string,
	area: 'localStorage' | 'sessionStorage' = 'sessionStorage',
) => attempt(() => (value == null ? window[area][key] : (window[area][key] = value)) as string);

/** JSON.stringify as it was when the script came. */
const stringify = attempt(() => JSON.stringify)!;

/** JSON that ignores the `toJSON` which Prototype before 1.7 adds to arrays. */
export const toJson = (value: unknown) =>
	stringify(value, function (this: Record<string, unknown>, key: string, json: unknown) {
		return Array.isArray(this[key]) ? this[key] : json;
	});
