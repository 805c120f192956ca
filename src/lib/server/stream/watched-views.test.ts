import { expect, test } from 'vitest';
import { ALL, toViewKey, type ViewSpec } from '../live/views';
import { createWatchedViews } from './watched-views';

const SHOP: ViewSpec = { ...ALL, by: ['name'] };
const [all, shop] = [toViewKey(ALL), toViewKey(SHOP)];

test('frames are made for a view from the turn in which it became complete', () => {
	const watched = createWatchedViews();
	watched.watch(ALL);
	expect(watched.since(all)).toBe(Infinity);
	watched.admit(all);
	watched.watch(SHOP);
	expect([watched.since(all), watched.since(shop), watched.turn()]).toEqual([1, Infinity, 1]);
	watched.admit(shop);
	watched.admit(shop);
	expect([watched.since(all), watched.since(shop), watched.turn()]).toEqual([1, 2, 2]);
});

test('a view that was not watched for a while begins a later turn', () => {
	const watched = createWatchedViews();
	const stop = watched.watch(ALL);
	watched.admit(all);
	stop();
	stop();
	expect([watched.isWatched(all), watched.since(all)]).toEqual([false, Infinity]);
	watched.watch(ALL);
	watched.admit(all);
	expect(watched.since(all)).toBe(2);
});

test('after a new beginning only complete views go on', () => {
	const watched = createWatchedViews();
	for (const spec of [ALL, SHOP]) watched.watch(spec);
	for (const key of [all, shop]) watched.admit(key);
	watched.renew((key) => key === all);
	expect([watched.since(all), watched.since(shop)]).toEqual([1, Infinity]);
});

test('a view that is not watched is not admitted', () => {
	const watched = createWatchedViews();
	watched.admit(all);
	expect([watched.since(all), watched.turn(), watched.size()]).toEqual([Infinity, 0, 0]);
});
