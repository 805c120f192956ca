import { expect, test } from 'vitest';
import { toNotice } from './notice';

const well = {
	status: 'live',
	attempt: 0,
	lastError: null,
	database: 'up',
	listener: 'up',
	reading: null,
	writing: null,
	known: '14:05:09',
} as const;

test('nothing is said while all is well, or over one lost connection', () => {
	expect(toNotice(well)).toBeNull();
	expect(toNotice({ ...well, status: 'connecting' })).toBeNull();
	expect(toNotice({ ...well, status: 'waiting', attempt: 1 })).toBeNull();
});

test.each([
	['waiting', { status: 'waiting', attempt: 2 }, 'The stream was cut.'],
	['offline', { status: 'offline' }, 'This device is offline.'],
	['failed', { status: 'failed', attempt: 10 }, 'has not answered 10 attempts'],
	['no database', { database: 'down' }, 'Postgres is not answering.'],
] as const)('%s: it says what happened and of when the figures are', (_, change, words) => {
	const notice = toNotice({ ...well, ...change });
	expect(notice?.tone).toBe('broken');
	expect(notice?.text).toContain(words);
	expect(notice?.text).toContain('14:05:09');
});

test.each([
	['unreachable', 'is not answering'],
	['starting', 'is starting or stopping'],
	['crowded', 'max_connections'],
	['denied', 'refuses the login'],
	['forbidden', 'lacks a right'],
	['hidden', 'Row-level security'],
	['missing', 'does not exist'],
	['unmigrated', 'tables of Nowboard are missing'],
	['foreign', 'Tables of another program'],
	['encoding', 'not UTF8'],
	['outdated', 'Postgres 14 or newer'],
	['tls', 'encrypted connection'],
	['locked', 'has locked a table'],
	['slow', 'too long'],
	['readonly', 'read-only'],
	['standby', 'the primary'],
	['full', 'disk of Postgres is full'],
	['other', 'The log of this server'],
] as const)(
	'%s: a database that cannot be read says why, and so does one that takes no events',
	(trouble, words) => {
		const down = toNotice({ ...well, database: 'down', reading: trouble, writing: trouble });
		expect(down?.text).toContain(words);
		expect(down?.text).toContain('14:05:09');
		const refusing = toNotice({ ...well, writing: trouble });
		expect(refusing?.text).toContain(words);
		expect(refusing?.text).toContain('this page is complete');
	},
);

test('the statement that the server knows is said instead of the usual advice', () => {
	const fix = 'GRANT SELECT ON nowboard.events TO <role>';
	const text = toNotice({ ...well, database: 'down', reading: 'forbidden', fix })?.text;
	expect(text).toContain(`The database role lacks a right. To fix it: ${fix}.`);
	expect(text).not.toContain('the log');
});

test('a deaf listener is degraded, not broken: nothing is lost', () => {
	const notice = toNotice({ ...well, listener: 'deaf' });
	expect(notice?.tone).toBe('degraded');
	expect(notice?.text).toContain('Nothing is lost');
});

test('a large transaction explains figures that stand still', () => {
	const notice = toNotice({ ...well, counting: true });
	expect(notice).toMatchObject({ tone: 'degraded', text: expect.stringContaining('stand still') });
});

test('what the server said last is passed on', () => {
	const notice = toNotice({
		...well,
		status: 'failed',
		attempt: 10,
		lastError: 'The server is not ready.',
	});
	expect(notice?.text).toContain('The server is not ready.');
});

test('while the stream is away, its last word about the database counts no more', () => {
	const notice = toNotice({ ...well, status: 'offline', database: 'down' });
	expect(notice?.text).toContain('offline');
});
