import { expect, test } from 'vitest';
import { createOwnVisits } from './own-visits';

test('addresses by range, of both families; what is no address is never one of them', () => {
	const { hasAddress } = createOwnVisits({
		addresses: ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32', '::1'],
	});
	const addresses = ['192.0.2.0', '192.0.2.255', '198.51.100.7', '2001:db8:ffff::1', '::1'];
	expect(addresses.filter((one) => !hasAddress(one))).toEqual([]);
	const others = ['192.0.3.0', '198.51.100.8', '2001:db9::', '::2', 'unknown', '', '192.0.2.1:80'];
	expect(others.filter(hasAddress)).toEqual([]);
});

test('hosts by name or below a name, users by their whole id', () => {
	const { hasHost, hasUser } = createOwnVisits({
		hosts: ['localhost', '*.staging.example.com'],
		users: ['team'],
	});
	const hosts = ['localhost', 'a.staging.example.com', 'b.a.staging.example.com'];
	expect(hosts.filter((one) => !hasHost(one))).toEqual([]);
	const others = ['staging.example.com', 'xstaging.example.com', 'localhost.example.com', null];
	expect([...others, undefined].filter(hasHost)).toEqual([]);
	expect([hasUser('team'), hasUser('team2'), hasUser(null)]).toEqual([true, false, false]);
});

test('without anything nothing is left out', () => {
	const { hasAddress, hasHost, hasUser } = createOwnVisits();
	expect([hasAddress('127.0.0.1'), hasHost('localhost'), hasUser('team')]).toEqual([
		false,
		false,
		false,
	]);
});
