/** The clause of a filter that a value in the feed stands for. Pure. */
import { isDimension, PROPS } from '../../dimensions';
import { toNumber } from '../../filter';
import { toPath } from '../../path';
import type { Json } from '../../protocol';

/** The server tells longer texts apart by a digest, which the page does not know. */
const MAX_VALUE_LENGTH = 256;
const OWN_DIMENSION = /^utm_(source|medium|campaign|term|content)$/;

/** @returns null: the value is none that events are distinguished by */
export function toPropertyClause(
	properties: { readonly [key: string]: Json },
	key: string,
): string | null {
	if (!isDimension(PROPS + key)) return null;
	const value = properties[key];
	if (typeof value === 'number')
		return toNumber(String(value)) === null ? null : `${PROPS}${key}:${value}`;
	if (typeof value === 'boolean') return `${PROPS}${key}:${value}`;
	if (typeof value !== 'string' || value === '' || value.length > MAX_VALUE_LENGTH) return null;
	if (key === 'path') return `path:${toPath(value, properties.slash === true)}`;
	return OWN_DIMENSION.test(key) ? `${key}:${value}` : `${PROPS}${key}:${value}`;
}
