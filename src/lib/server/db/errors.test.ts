import { expect, test } from 'vitest';
import { DeadlineError } from './deadline';
import { toDatabaseTrouble, StandbyError } from './errors';

const coded = (code: string) => Object.assign(new Error(code), { code });

test.each([
	[coded('ECONNREFUSED'), 'unreachable'],
	[coded('CONNECTION_CLOSED'), 'unreachable'],
	[coded('08006'), 'unreachable'],
	[coded('57P03'), 'starting'],
	[coded('53300'), 'crowded'],
	[coded('28P01'), 'denied'],
	[coded('42501'), 'denied'],
	[coded('3D000'), 'missing'],
	[coded('42P01'), 'missing'],
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
