/**
 * The window store and its views alone, without a database: what a scan, a row and an event cost. CPU time is that of the
 * main thread, so that other programs on the machine change it little; slices are also timed by the clock.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Filter } from '../../src/lib/filter';
import { createViews } from '../../src/lib/server/live/views';
import { createWindowStore, type WindowStore } from '../../src/lib/server/live/window-store';
import { COUNT_WINDOW_MS } from '../../src/lib/protocol';
import { quantile } from '../report/quantile';
import { BY, createFilters, createRows } from './rows';

const SEED = 15;
const START = 1_700_000_000_000;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heldBytes(): number {
	collect();
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	return heapUsed + arrayBuffers;
}

/** Of the main thread: what holds up the event loop. The process's includes threads that collect and compile. */
const cpuMs = () => Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6;

/** A window with so many rows, evenly over the half hour. */
export function fill(rows: number): { store: WindowStore; bytesPerRow: number } {
	const before = heldBytes();
	const store = createWindowStore(START);
	const next = createRows(SEED);
	for (let i = 0; i < rows; i++) {
		const createdAt = Math.ceil(START - COUNT_WINDOW_MS * (1 - (i + 1) / rows));
		store.add({ ...next(), createdAt });
	}
	return { store, bytesPerRow: (heldBytes() - before) / rows };
}

function mix(x: number): number {
	for (let i = 0; i < 1e5; i++) x = (Math.imul(x, 31) + i) | 0;
	return x;
}

/** CPU time of 10 million steps that are always the same, ms: how fast the machine is just now. */
export function measureReference(): number {
	let x = 0;
	// compiled before it is measured
	for (let i = 0; i < 100; i++) x = mix(x);
	const began = cpuMs();
	for (let i = 0; i < 100; i++) x = mix(x);
	const spent = cpuMs() - began;
	if (!Number.isInteger(x)) throw new Error('the result must be used, or the loop is left out');
	return spent;
}

export type Scans = {
	wallMs: number;
	cpuMs: number;
	fastestCpuMs: number;
	longestMs: number;
	longestCpuMs: number;
};

/** Opens new views, one after the other; the medians, and the longest slices of all. */
export async function scan(store: WindowStore, filters: readonly Filter[]): Promise<Scans> {
	const all: Omit<Scans, 'fastestCpuMs'>[] = [];
	for (const filter of filters) {
		const views = createViews(store);
		collect();
		const [began, cpu] = [performance.now(), cpuMs()];
		let turn = { at: began, cpu };
		let [longestMs, longestCpuMs] = [0, 0];
		let open = true;
		const watch = () => {
			const now = { at: performance.now(), cpu: cpuMs() };
			longestMs = Math.max(longestMs, now.at - turn.at);
			longestCpuMs = Math.max(longestCpuMs, now.cpu - turn.cpu);
			turn = now;
			if (open) setImmediate(watch);
		};
		setImmediate(watch);
		const { view } = await views.open({ filter, by: BY });
		view.figures();
		const [wallMs, spentMs] = [performance.now() - began, cpuMs() - cpu];
		open = false;
		await new Promise((resolve) => setImmediate(resolve));
		all.push({ wallMs, cpuMs: spentMs, longestMs, longestCpuMs });
		views.close();
	}
	const middle = (key: 'wallMs' | 'cpuMs') =>
		quantile(
			all.map((one) => one[key]),
			0.5,
		);
	return {
		wallMs: middle('wallMs'),
		cpuMs: middle('cpuMs'),
		fastestCpuMs: Math.min(...all.map(({ cpuMs }) => cpuMs)),
		longestMs: Math.max(...all.map(({ longestMs }) => longestMs)),
		longestCpuMs: Math.max(...all.map(({ longestCpuMs }) => longestCpuMs)),
	};
}

/** µs of CPU time for an event to enter and to leave the window, with so many views kept up to date. */
export async function keepUp(count: number, clauses: number, events: number): Promise<number> {
	const store = createWindowStore(START);
	const views = createViews(store);
	for (const filter of createFilters(SEED, count, clauses, clauses))
		await views.open({ filter, by: BY });
	const next = createRows(SEED);
	const rows = Array.from({ length: events }, () => ({ ...next(), createdAt: START }));
	const cpu = cpuMs();
	for (const [i, row] of rows.entries()) store.add({ ...row, createdAt: START - (i % 1_000) });
	store.advance(START + COUNT_WINDOW_MS);
	const spent = cpuMs() - cpu;
	views.close();
	return (1_000 * spent) / events;
}
