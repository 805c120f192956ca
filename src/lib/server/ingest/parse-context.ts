/** `context` in a body: what a server says of its visitor. Pure. */
import { CONTEXT_KEYS, type EventContext } from '../../protocol';
import { isObject, member, textFault } from '../db/json-limits';
import { toCountry } from './countries';

const MAX_LENGTH = 120;

/** Calls `fail` for each fault; the result counts only when there was none. */
export function parseContext(
	value: unknown,
	fail: (path: string, value: unknown, rule: string) => void,
): EventContext | null {
	if (value === null) return null;
	if (!isObject(value)) return (fail('context', value, 'must be an object'), null);
	const context: EventContext = {};
	for (const [key, given] of Object.entries(value)) {
		const path = member('context', key);
		const known = CONTEXT_KEYS.find((one) => one === key);
		if (!known) fail(path, given, `is not known here; these are: ${CONTEXT_KEYS.join(', ')}`);
		else if (given === null) continue;
		else if (typeof given !== 'string' || given === '' || given.length > MAX_LENGTH)
			fail(path, given, `must be a text of 1 to ${MAX_LENGTH} characters`);
		else if (textFault(given)) fail(path, given, textFault(given) ?? '');
		else if (known === 'country') {
			const country = toCountry(given);
			if (country) context.country = country;
			else fail(path, given, 'must be a country code of two letters (ISO 3166-1), such as DE');
		} else context[known] = given;
	}
	return context;
}
