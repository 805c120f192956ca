import { expect, test, vi } from 'vitest';
import { startReload } from './reload';

const PAGE = 'https://now.example/kiosk?source=shop';
const SCRIPTS = ['entry/start.b1.js', 'nodes/3.c2.js'];
const HTML = `<link rel="modulepreload" href="./_app/immutable/${SCRIPTS[0]}"><script nonce="x">
	Promise.all([import("./_app/immutable/${SCRIPTS[0]}"), import('./_app/immutable/${SCRIPTS[1]}')])</script>`;

/** @param answers of each attempt: the page's status, and that of its scripts; null: none */
function start(answers: readonly (readonly [page: number | null, scripts?: number])[]) {
	const waits: number[] = [];
	const asked: string[] = [];
	const reload = vi.fn();
	let now: readonly [page: number | null, scripts?: number] = [null];
	let next = (): void => {};
	let left = 0;
	const fetcher: typeof fetch = async (url) => {
		asked.push(String(url));
		if (url === PAGE) now = answers[left++] ?? [null];
		const [page, scripts = 200] = now;
		if (page === null) throw new TypeError('fetch failed');
		return url === PAGE
			? new Response(HTML, { status: page })
			: new Response('', { status: scripts });
	};
	const stop = startReload({
		url: PAGE,
		reload,
		fetch: fetcher,
		random: () => 0,
		after(ms, run) {
			waits.push(ms);
			next = run;
			return () => (next = () => {});
		},
	});
	return { waits, asked, reload, stop, next: () => next() };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test('a page whose server is there is reloaded at once, once', async () => {
	const { asked, reload, waits } = start([[200]]);
	await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
	await settled();
	expect(waits).toEqual([]);
	expect(asked).toEqual([
		PAGE,
		...SCRIPTS.map((script) => `https://now.example/_app/immutable/${script}`),
	]);
});

test('as long as anything is missing it waits, longer and longer', async () => {
	const { reload, waits, next } = start([[null], [502], [401], [200, 404], [200]]);
	for (const wait of [700, 1_400, 2_800, 5_600]) {
		await vi.waitFor(() => expect(waits.at(-1)).toBe(wait));
		expect(reload).not.toHaveBeenCalled();
		next();
	}
	await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
	expect(waits).toHaveLength(4);
});

test('stopped, it loads nothing any more', async () => {
	const waiting = start([[502], [200]]);
	await vi.waitFor(() => expect(waiting.waits).toHaveLength(1));
	waiting.stop();
	waiting.next();
	const asking = start([[200]]);
	asking.stop();
	await settled();
	await settled();
	expect([waiting.reload.mock.calls, asking.reload.mock.calls]).toEqual([[], []]);
});
