import { expect, test } from 'vitest';
import { readVariables, VARIABLES, type VariableName } from './variables';

const faultOf = (name: VariableName, value: string) => readVariables({ [name]: value }).faults[0];

test.each<[VariableName, string, unknown]>([
	['DATABASE_URL', 'postgresql://u:p%23@h/n', 'postgresql://u:p%23@h/n'],
	['DATABASE_SCHEMA', 'team_b', 'team_b'],
	['EXCLUDE_ADDRESSES', '192.0.2.0/24, ::1', ['192.0.2.0/24', '::1']],
	['EXCLUDE_HOSTS', 'localhost,*.Example.com www.a.test', ['localhost', '*.example.com', 'a.test']],
	['EXCLUDE_USERS', 'anna@a.test, team 7', ['anna@a.test', 'team 7']],
	['PORT', '0', 0],
	['ORIGIN', 'https://now.example.com/', 'https://now.example.com'],
	['ORIGIN', 'http://[::1]:3000', 'http://[::1]:3000'],
	['ORIGIN', 'https://example.com/now/', 'https://example.com/now'],
	['ORIGIN', 'https://example.com/apps/now', 'https://example.com/apps/now'],
	['HOST', '::1', '::1'],
	['DASHBOARD_PUBLIC', '1', true],
	['DASHBOARD_PUBLIC', 'false', false],
	['BODY_SIZE_LIMIT', '2m', '2m'],
	['XFF_DEPTH', '2', 2],
	['LOG_LEVEL', 'warn', 'warn'],
	['RETENTION_DAYS', '0', 0],
	['RETENTION_DAYS', '36500', 36_500],
])('%s may be "%s"', (name, value, expected) => {
	const { values, faults } = readVariables({ [name]: value });
	expect([values[name], faults]).toEqual([expected, []]);
});

test.each<[VariableName, string, string]>([
	['DATABASE_URL', 'postgres://u:p#1@h/n', 'has a "#" or a space in it'],
	['DATABASE_SCHEMA', 'Team B', 'is "Team B": it must be the name of a schema'],
	['EXCLUDE_ADDRESSES', '192.0.2.0/33', 'is "192.0.2.0/33": it must be an address or a range'],
	['EXCLUDE_ADDRESSES', '10.0.0.1,office', 'is "office"'],
	['EXCLUDE_HOSTS', 'https://a.test', 'is "https://a.test": it must be the name of a host'],
	['DATABASE_SCHEMA', 'a".b', 'the name of a schema'],
	['DATABASE_SCHEMA', 'pg_own', 'the name of a schema'],
	['DATABASE_SCHEMA', 'a'.repeat(49), 'at most 48'],
	['PORT', '65536', 'is "65536"'],
	['PORT', '-1', 'is "-1"'],
	['PORT', '1e3', 'is "1e3"'],
	['ORIGIN', 'now.example.com', 'it must be like https://now.example.com, or'],
	['ORIGIN', 'https://example.com/now?x=1', 'or https://example.com/now below a path'],
	['ORIGIN', 'https://example.com/a;b', 'or https://example.com/now below a path'],
	['ORIGIN', 'https://u@now.example.com', 'below a path'],
	['ORIGIN', 'https://', 'is "https://"'],
	['HOST', 'https://0.0.0.0', 'a name or an address'],
	['ADDRESS_HEADER', 'X-Forwarded-For:', 'the name of a header'],
	['XFF_DEPTH', '0', 'a whole number of at least 1'],
	['RETENTION_DAYS', '30d', 'a whole number from 0 to 36500'],
	['RETENTION_DAYS', '-1', 'a whole number from 0 to 36500'],
	['RETENTION_DAYS', '36501', 'a whole number from 0 to 36500'],
	['BODY_SIZE_LIMIT', '1 MB', 'a number of bytes'],
	['METRICS_TOKEN', 'short', 'has 5 characters: it must have at least 16'],
])('%s may not be "%s"', (name, value, message) => {
	expect(faultOf(name, value)).toContain(`${name} `);
	expect(faultOf(name, value)).toContain(message);
});

test('no fault shows a secret', () => {
	for (const name of ['DATABASE_URL', 'DATABASE_DIRECT_URL', 'METRICS_TOKEN', 'SECRET'] as const)
		for (const value of ['hunter2', 'postgres://u:hunter2#@h/n'])
			expect(faultOf(name, value) ?? '').not.toContain('hunter2');
});

test('an empty value is an unset one, and what the tables show of it is what the rule takes', () => {
	const empty = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, '']));
	expect(readVariables(empty)).toEqual(readVariables({}));
	const examples = Object.entries(VARIABLES).map(([name, { example }]) => [name, example]);
	expect(readVariables(Object.fromEntries(examples)).faults).toEqual([]);
});
