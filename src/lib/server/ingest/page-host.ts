/** The host that an address in a property names: in lower case, without `www.`; null: there is none. */
import { ownText } from '../copy-string';

const MAX_LENGTH = 253;

/** Without `www.`; null for what is not an address of a web page. */
export function hostOf(value: unknown): string | null {
	if (typeof value !== 'string' || !URL.canParse(value)) return null;
	const { protocol, hostname } = new URL(value);
	if (protocol !== 'http:' && protocol !== 'https:') return null;
	const host = hostname.replace(/^www\./, '');
	return host !== '' && host.length <= MAX_LENGTH ? ownText(host) : null;
}
