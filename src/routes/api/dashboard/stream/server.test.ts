/** What views the address may ask for, as SvelteKit calls the route: for a wrong one nothing is opened. */
import { isHttpError } from '@sveltejs/kit';
import { expect, test } from 'vitest';
import { parseFilter, toFilterTexts, type Filter } from '$lib/filter';
import { createViewLimits } from '$lib/server/http/view-limits';
import { GET } from './+server';

type View = { filter: Filter; bound: Filter; by: readonly string[] };
type Handler = (event: object) => Promise<Response>;

const limits = (perMinute = 1_000, watched = 0) =>
	createViewLimits({ knows: () => false, watched: () => watched, perMinute, maxWatched: 10 });

async function ask(query: string, { bound = [] as string[], viewLimits = limits() } = {}) {
	const opened: unknown[] = [];
	const parsed = parseFilter(bound);
	const locals = {
		live: {
			open(_: string | null, { view }: { view: View }) {
				opened.push([toFilterTexts(view.filter), toFilterTexts(view.bound), view.by]);
				return new ReadableStream();
			},
		},
		requests: { streamed: () => () => {} },
		viewer: parsed.ok && bound.length > 0 ? { filter: parsed.filter } : null,
		...{ requestId: 'r', login: null, tokenEndsAt: null, viewLimits, network: '192.0.2.1' },
	};
	const url = new URL(`http://localhost/api/dashboard/stream?${query}`);
	try {
		const event = { url, request: new Request(url), locals };
		return [(await (GET as unknown as Handler)(event)).status, opened];
	} catch (thrown) {
		if (!isHttpError(thrown)) throw thrown;
		return [thrown.status, thrown.body.message, opened];
	}
}
const DEFAULT = ['path', 'referrer', 'name', 'country'];

test('a filter is canonical, and `source` is a short form', async () => {
	expect(await ask('')).toEqual([200, [[[], [], DEFAULT]]]);
	expect(await ask('f=path:/b&f=-name:x&f=path:/b&by=name,props.plan')).toEqual([
		200,
		[[['-name:x', 'path:/b'], [], ['name', 'props.plan']]],
	]);
	expect(await ask('source=shop&by=')).toEqual([200, [[['source:shop'], [], []]]]);
	// given twice, both hold
	expect(await ask('source=web&source=shop&source=&by=host&by=os,host')).toEqual([
		200,
		[[['source:shop', 'source:web'], [], ['host', 'os']]],
	]);
});

test.each([
	['f=planet:Mars', 'unknown dimension "planet"'],
	['f=path', 'has no operator'],
	['f=path~', 'has no value'],
	['f=path>5', 'works on props.<key> only'],
	['f=props.a>x', 'is not a decimal number'],
	['f=path:a%00', 'a character that no event can have'],
	[`f=path:${'x'.repeat(300)}`, 'at most 300'],
	[Array.from({ length: 13 }, (_, i) => `f=path:/${i}`).join('&'), 'at most 12'],
	['f=props.:x', 'unknown dimension "props."'],
	['f=%0Apath:/a', 'unknown dimension "\\npath"'],
	['f=Path:/a', 'unknown dimension "Path"'],
	['f=--path:/a', 'unknown dimension "-path"'],
	['by=planet', 'unknown dimension "planet": use one of name, source,'],
	['by=props.a:b', 'without any of : ~ ^ < > in the key'],
	['by=props.%00', 'unknown dimension "props.\\u0000"'],
	[`by=props.${'x'.repeat(300)}`, 'of 306 characters: one has at most 200'],
	['by=name,path,host,os,browser,device,country,language,session', 'at most 8'],
])('%s is refused: %s', async (query, rule) => {
	const [status, message, opened] = await ask(query);
	expect([status, opened]).toEqual([400, []]);
	expect(message).toContain(rule);
});

test('what a share link is bound to stays apart from what its holder asks for', async () => {
	expect(await ask('source=web', { bound: ['source:shop'] })).toEqual([
		200,
		[[['source:web'], ['source:shop'], DEFAULT]],
	]);
});

test('ten thousand different views from one address are refused after the bound', async () => {
	const viewLimits = limits(20);
	const statuses: unknown[] = [];
	for (let i = 0; i < 10_000; i++) statuses.push((await ask(`f=path:/${i}`, { viewLimits }))[0]);
	expect(statuses.filter((status) => status === 200)).toHaveLength(20);
	expect(new Set(statuses)).toEqual(new Set([200, 429]));
});

test('a crowd that comes for one view at once counts as one', async () => {
	const viewLimits = limits(1);
	const answers = await Promise.all(
		Array.from({ length: 100 }, () => ask('f=path:/a', { viewLimits })),
	);
	expect(new Set(answers.map(([status]) => status))).toEqual(new Set([200]));
	expect((await ask('f=path:/b', { viewLimits }))[0]).toBe(429);
});

test('no more views are opened than the process keeps up', async () => {
	const [status, message] = await ask('f=path:/a', { viewLimits: limits(100, 10) });
	expect([status, message]).toEqual([503, expect.stringContaining('10 different views')]);
});
