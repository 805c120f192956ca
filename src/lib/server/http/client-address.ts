/**
 * The client's address, as far as it is known. Note: the adapter throws when ADDRESS_HEADER is set and a
 * request has no such header (one that bypasses the proxy). A client can have 2⁶⁴ IPv6 addresses, so limits
 * count its network.
 */
import { isIPv6 } from 'node:net';
import { ownText } from '../copy-string';

/** Shared by all clients whose address is unknown. */
const UNKNOWN = 'unknown';
/** An address has at most 45 characters; a forged header may have thousands. */
const MAX_LENGTH = 64;
const MAPPED = /^::ffff:(?<v4>\d+\.\d+\.\d+\.\d+)$/i;

/** @param getClientAddress SvelteKit's */
export function readAddress(getClientAddress: () => string): string {
	try {
		// it is remembered for minutes: nothing of the header it stands in may be
		const address = ownText(getClientAddress().trim().slice(0, MAX_LENGTH));
		return MAPPED.exec(address)?.groups?.v4 ?? (address || UNKNOWN);
	} catch {
		return UNKNOWN;
	}
}

/** The first 64 bits of an IPv6 address, which is what one customer gets (RFC 6177); any other as it is. */
export function toNetwork(address: string): string {
	if (!isIPv6(address)) return address;
	const [head = '', tail] = address.split('::');
	const first = head.split(':').filter(Boolean);
	const last = (tail ?? '').split(':').filter(Boolean);
	const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
	const groups = [...first, ...zeros, ...last].slice(0, 4);
	return `${groups.map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}
