/** What the windows need of an event. Pure. Properties are untrusted: a text may be of any type and length. */
import { hash } from 'node:crypto';
import { cut, toPath } from '../../path';
import type { ActivityEvent, Json } from '../../protocol';
import { ownText } from '../copy-string';
import type { WindowRow } from './windows';

/** UTF-16 units of a key: the windows hold 50,000 keys, and the first of them are sent to every browser. */
export const MAX_KEY_LENGTH = 300;
/** Characters of the digest that tells long keys apart: 60 bits. */
const DIGEST_LENGTH = 10;

type Counted = Pick<ActivityEvent, 'name' | 'source' | 'sessionId' | 'properties'> & {
	createdAt: number;
};

export function toWindowRow({
	name,
	source,
	sessionId,
	properties,
	createdAt,
}: Counted): WindowRow {
	return {
		name,
		source,
		sessionId,
		createdAt,
		path: toKey(properties.path, (text) => toPath(text, properties.slash === true)),
		referrer: toKey(properties.referrer, toReferrer),
	};
}

/** The host of an address without `www.`; other texts stay as they are. */
function toReferrer(text: string): string {
	if (!URL.canParse(text)) return text;
	return new URL(text).hostname.replace(/^www\./, '') || text;
}

/** A longer text is shown by its beginning, and told apart by a digest of the whole. */
function toKey(value: Json | undefined, read: (text: string) => string): string | null {
	if (typeof value !== 'string') return null;
	const text = read(value);
	if (text === '') return null;
	if (text.length > MAX_KEY_LENGTH) {
		const digest = hash('sha256', text, 'base64url').slice(0, DIGEST_LENGTH);
		return ownText(`${cut(text, MAX_KEY_LENGTH - DIGEST_LENGTH - 2)}… ${digest}`);
	}
	// a part of a longer text would keep all of it in memory
	return text === value ? text : ownText(text);
}
