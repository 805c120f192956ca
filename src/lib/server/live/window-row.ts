/** What the windows need of an event. Pure. Properties are untrusted: anything may stand where a text is expected. */
import type { ActivityEvent, Json } from '../../protocol';
import type { WindowRow } from './windows';
import { ownText } from '../copy-string';

/** Longer paths and referrers are cut: they are keys of a table that is sent to every browser. */
export const MAX_KEY_LENGTH = 120;

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
		path: toText(properties.path),
		referrer: toReferrer(toText(properties.referrer)),
	};
}

/** The host of an address, without `www.`; what is no address stays as it is. */
function toReferrer(text: string | null): string | null {
	if (text === null || !URL.canParse(text)) return text;
	const { hostname } = new URL(text);
	// Node cuts it out of the whole address, which may be nine times as long as the text
	return ownText(hostname.replace(/^www\./, '')) || text;
}

function toText(value: Json | undefined): string | null {
	if (typeof value !== 'string' || value === '') return null;
	return value.length > MAX_KEY_LENGTH ? ownText(value.slice(0, MAX_KEY_LENGTH)) : value;
}
