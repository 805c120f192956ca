import { expect, test } from 'vitest';
import { refuseServer } from './prepare';

const usable = { number: 140_000, version: '14.0', standby: false, encoding: 'UTF8' };

test.each([14, 15, 16, 17, 18])('Postgres %i is taken', (major) => {
	expect(() => refuseServer({ ...usable, number: major * 10_000 })).not.toThrow();
});

test.each([
	[
		{ number: 130_022, version: '13.22' },
		'outdated',
		/Postgres 13\.22: Nowboard needs 14 or newer/,
	],
	[{ number: 90_624, version: '9.6.24' }, 'outdated', /Postgres 9\.6\.24/],
	[{ standby: true }, 'standby', /point DATABASE_URL at the primary/],
	[{ encoding: 'LATIN1' }, 'encoding', /LATIN1: Nowboard needs UTF8/],
] as const)('%o is refused by name', (change, trouble, message) => {
	const refuse = () => refuseServer({ ...usable, ...change });
	expect(refuse).toThrow(message);
	expect(refuse).toThrow(expect.objectContaining({ trouble }));
});
