import { expect, test } from 'vitest';
import { DeadlineError } from './deadline';
import { StandbyError, toDatabaseTrouble, toFacts, toReason } from './errors';

const coded = (code: string) => Object.assign(new Error(code), { code });

test.each([
	[coded('ECONNREFUSED'), 'unreachable'],
	[coded('CONNECTION_CLOSED'), 'unreachable'],
	[coded('08006'), 'unreachable'],
	[coded('57P03'), 'starting'],
	[coded('53300'), 'crowded'],
	[coded('28P01'), 'denied'],
	[coded('42501'), 'forbidden'],
	[coded('3D000'), 'missing'],
	[coded('42P01'), 'unmigrated'],
	[coded('42703'), 'foreign'],
	[coded('08P01'), 'other'],
	[coded('CERT_HAS_EXPIRED'), 'tls'],
	[new Error('Failed query: select 1', { cause: coded('42501') }), 'forbidden'],
	[new AggregateError([coded('ECONNREFUSED')]), 'unreachable'],
	[coded('55P03'), 'locked'],
	[coded('57014'), 'slow'],
	[new DeadlineError('reading', 1), 'slow'],
	[coded('25006'), 'readonly'],
	[new StandbyError(), 'standby'],
	[coded('53100'), 'full'],
	[coded('XX000'), 'other'],
	[new Error('anything'), 'other'],
	['no error at all', 'other'],
] as const)('%s means %s', (error, trouble) => {
	expect(toDatabaseTrouble(error)).toBe(trouble);
});

test('what Postgres said is not hidden by the error around it', () => {
	const cause = Object.assign(new Error('permission denied for table events'), {
		code: '42501',
		hint: 'Ask the owner.',
		table_name: 'events',
	});
	const hiding = Object.assign(new Error('Failed query: create …', { cause }), {
		query: 'create …',
	});
	expect(toReason(hiding)).toBe('permission denied for table events (42501) Ask the owner.');
	expect(toFacts(hiding)).toEqual({
		message: 'permission denied for table events',
		code: '42501',
		hint: 'Ask the owner.',
		table_name: 'events',
	});
	// our own words around it say more
	expect(toReason(new Error('Another process migrates.', { cause }))).toMatch(
		/^Another process migrates\. permission denied/,
	);
	// Node's error for a host with several addresses has no words of its own
	const both = new AggregateError([new Error('connect ECONNREFUSED ::1:5432')]);
	expect(toReason(both)).toBe('connect ECONNREFUSED ::1:5432');
});
