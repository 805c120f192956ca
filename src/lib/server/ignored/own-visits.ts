/** Visits of the team itself, which are not counted: by address, by host of the page and by user. Decided at ingest. */
import { BlockList, isIP } from 'node:net';

export type OwnVisits = {
	/** Whether nothing that a visitor sends from there is counted. */
	hasAddress(address: string): boolean;
	/** @param host of the page, as in `context.host` */
	hasHost(host: string | null | undefined): boolean;
	hasUser(user: string | null): boolean;
};

/**
 * @param addresses CIDR or single ones, checked (config/variable-rules.ts)
 * @param hosts in lower case; `*.example.com` is every host below, and not example.com
 */
export function createOwnVisits({
	addresses = [],
	hosts = [],
	users = [],
}: {
	addresses?: readonly string[];
	hosts?: readonly string[];
	users?: readonly string[];
} = {}): OwnVisits {
	const list = new BlockList();
	for (const one of addresses) {
		const [address = '', prefix] = one.split('/');
		const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
		if (prefix === undefined) list.addAddress(address, family);
		else list.addSubnet(address, Number(prefix), family);
	}
	const names = new Set(hosts.filter((host) => !host.startsWith('*.')));
	const below = hosts.filter((host) => host.startsWith('*.')).map((host) => host.slice(1));
	const known = new Set(users);
	return {
		hasAddress(address) {
			const family = isIP(address);
			return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
		},
		hasHost: (host) =>
			host != null && (names.has(host) || below.some((suffix) => host.endsWith(suffix))),
		hasUser: (user) => user !== null && known.has(user),
	};
}
