import { expect, test } from 'vitest';
import { createHistory, REFRESH_MS, RETRY_MS, type HistoryView } from './history';
import { toTime } from './testing/fixtures';

const answer = {
	range: '24h',
	filter: [],
	zone: 'Europe/Berlin',
	from: toTime(0),
	to: toTime(1),
	at: toTime(1),
	begins: toTime(0),
	through: toTime(1),
	tables: {},
	totals: { pageViews: 1, eventsCount: 2, activeSessions: null },
	previousTotals: null,
	points: [],
	previous: [],
};

/** A page with a clock by hand, and a server that gives what is put into `answers`. */
function open(answers: (object | number | null)[], initial: object | null = null) {
	const views: HistoryView[] = [];
	const urls: string[] = [];
	const timers: { ms: number; run: () => void; cancelled: boolean }[] = [];
	const document = Object.assign(new EventTarget(), { hidden: false });
	const store = createHistory({
		range: '24h',
		filter: ['source:a b', 'os:Linux'],
		by: ['path', 'os'],
		zone: 'Europe/Berlin',
		initial: initial as never,
		environment: {
			document,
			after(ms, run) {
				const timer = { ms, run, cancelled: false };
				timers.push(timer);
				return () => void (timer.cancelled = true);
			},
		},
		fetch: async (url) => {
			urls.push(String(url));
			const next = answers.shift();
			if (next === null || next === undefined) throw new TypeError('no network');
			return typeof next === 'number'
				? new Response('', { status: next })
				: new Response(JSON.stringify(next));
		},
	});
	const leave = store.subscribe((view) => views.push(view));
	const settled = () => new Promise((resolve) => setTimeout(resolve));
	return { views, urls, timers, document, leave, settled };
}

test('it asks at once for range, filter, breakdowns and zone, and again when a bucket has moved on', async () => {
	const { views, urls, timers, settled } = open([answer, { ...answer, at: toTime(2) }]);
	await settled();
	timers[0]?.run();
	await settled();
	expect(urls).toEqual(
		Array(2).fill(
			'/api/dashboard/history?range=24h&zone=Europe%2FBerlin&by=path%2Cos&f=source%3Aa+b&f=os%3ALinux',
		),
	);
	expect(timers.map(({ ms }) => ms)).toEqual([REFRESH_MS['24h'], REFRESH_MS['24h']]);
	expect(views.map(({ history }) => history?.at ?? null)).toEqual([null, toTime(1), toTime(2)]);
});

test('a failure keeps what was there, says why, and is tried again soon', async () => {
	const { views, timers, settled } = open([503, null, { welcome: 'to the hotel' }, answer], answer);
	await settled();
	for (let i = 0; i < 3; i++) {
		timers.at(-1)?.run();
		await settled();
	}
	expect(views.map(({ problem }) => problem)).toEqual([
		null,
		'The server is not ready.',
		'The server is not answering.',
		'Something else answers in the place of the server.',
		null,
	]);
	expect(views.every(({ history }) => history !== null)).toBe(true);
	expect(timers.map(({ ms }) => ms)).toEqual([RETRY_MS, RETRY_MS, RETRY_MS, REFRESH_MS['24h']]);
});

test('nothing is counted yet: asked again soon', async () => {
	const { timers, settled } = open([{ ...answer, begins: null }]);
	await settled();
	expect(timers.map(({ ms }) => ms)).toEqual([RETRY_MS]);
});

test('a hidden page asks nothing, and at once when it is visible', async () => {
	const { urls, timers, document, settled } = open([answer, answer]);
	await settled();
	document.hidden = true;
	timers[0]?.run();
	await settled();
	expect(urls).toHaveLength(1);
	document.hidden = false;
	document.dispatchEvent(new Event('visibilitychange'));
	await settled();
	expect(urls).toHaveLength(2);
});

test('who has left is told nothing more, and nothing is asked', async () => {
	const { views, timers, document, urls, leave, settled } = open([answer]);
	leave();
	await settled();
	document.dispatchEvent(new Event('visibilitychange'));
	await settled();
	expect([views.length, timers.length, urls.length]).toEqual([1, 0, 1]);
});
