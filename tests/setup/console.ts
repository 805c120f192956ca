/**
 * An unexpected console.error or console.warn fails the test that caused it, in Node and in the browser.
 * A test that means to cause one says so: `const errors = expectConsole('error')`, then looks at `errors`.
 */
import { afterEach, beforeEach } from 'vitest';

type Level = 'error' | 'warn';
const LEVELS: Level[] = ['error', 'warn'];

let expected: Partial<Record<Level, string[]>> = {};
let unexpected: string[] = [];

/** From here to the end of the test, calls of this level are collected in the returned array instead of failing. */
export function expectConsole(level: Level): string[] {
	return (expected[level] ??= []);
}

// The browser runner and Svelte print through the console that was there before us: keep printing.
for (const level of LEVELS) {
	const print = console[level];
	console[level] = (...args: unknown[]) => {
		const text = args.map(toText).join(' ');
		const collected = expected[level];
		if (collected) {
			collected.push(text);
			return;
		}
		unexpected.push(`console.${level}: ${text}`);
		print.apply(console, args);
	};
}

beforeEach(() => {
	expected = {};
	unexpected = [];
});

afterEach(() => {
	const calls = unexpected;
	expected = {};
	unexpected = [];
	if (calls.length > 0) throw new Error(`Unexpected output:\n${calls.join('\n')}`);
});

function toText(value: unknown): string {
	if (value instanceof Error) return value.stack ?? value.message;
	return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}
