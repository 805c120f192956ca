import { expect, test } from 'vitest';
import { expectConsole } from './console';

test('an expected console.error is collected and does not fail the test', () => {
	const errors = expectConsole('error');
	console.error('the disk is', { full: true });
	expect(errors).toEqual(['the disk is {"full":true}']);
});

test.fails('an unexpected console.error fails the test', () => {
	console.error('unexpected');
});

test.fails('an unexpected console.warn fails the test', () => {
	console.warn('unexpected');
});
