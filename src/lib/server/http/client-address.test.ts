import { expect, test } from 'vitest';
import { readAddress, toNetwork } from './client-address';

test.each([
	['192.0.2.7', '192.0.2.7', '192.0.2.7'],
	['::ffff:192.0.2.7', '192.0.2.7', '192.0.2.7'],
	['2001:DB8:1:2:3:4:5:6', '2001:DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
	['2001:db8:1:2::6', '2001:db8:1:2::6', '2001:db8:1:2::/64'],
	['2001:db8::1', '2001:db8::1', '2001:db8:0:0::/64'],
	['::1', '::1', '0:0:0:0::/64'],
	['fe80::1%eth0', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
	['', 'unknown', 'unknown'],
	['x'.repeat(9_000), 'x'.repeat(64), 'x'.repeat(64)],
])('%s', (told, address, network) => {
	expect([readAddress(() => told), toNetwork(readAddress(() => told))]).toEqual([address, network]);
});

test('a request that comes past the proxy has no address, and is no error', () => {
	const past = () => {
		throw new Error(
			'Address header was specified with ADDRESS_HEADER=… but is absent from request',
		);
	};
	expect(readAddress(past)).toBe('unknown');
});
