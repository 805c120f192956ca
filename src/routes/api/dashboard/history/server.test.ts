/** The route as SvelteKit calls it, above a reader that notes what it is asked for. */
import { isHttpError } from '@sveltejs/kit';
import { expect, test } from 'vitest';
import { toFilterTexts, type Filter } from '$lib/filter';
import { BusyError } from '$lib/server/history/readings';
import { ZoneError } from '$lib/server/history/range-query';
import { GET } from './+server';

type Handler = (event: object) => Promise<Response>;

async function ask(query: string, read: (zone: string) => object = () => ({ points: [] })) {
	const asked: unknown[] = [];
	const history = {
		async read(...of: [string, { filter: Filter }, string]) {
			asked.push([of[0], toFilterTexts(of[1].filter), of[2]]);
			return { ...read(of[2]), zone: of[2] };
		},
	};
	const url = new URL(`http://localhost/api/dashboard/history?${query}`);
	try {
		const response = await (GET as unknown as Handler)({ url, locals: { history, viewer: null } });
		const { status, headers } = response;
		return {
			status,
			asked,
			retry: headers.get('retry-after'),
			body: (await response.json()) as object,
		};
	} catch (thrown) {
		if (!isHttpError(thrown)) throw thrown;
		return { status: thrown.status, asked, retry: null, body: thrown.body };
	}
}
const throwing = (error: Error) => () => {
	throw error;
};

test('a zone is asked for in one spelling, and named in the answer as it was given', async () => {
	const { asked, body } = await ask('range=7d&zone=europe/BERLIN&source=a');
	expect([asked, body]).toEqual([
		[['7d', ['source:a'], 'Europe/Berlin']],
		{ points: [], zone: 'europe/BERLIN' },
	]);
	expect((await ask('range=7d')).asked).toEqual([['7d', [], 'UTC']]);
});

test.each(['AAAA1', 'Mars', '%2B01:00', 'GMT%2B1', 'a%00b', 'x'.repeat(500)])(
	'a zone that is none, %s, is refused by name, and nothing is read',
	async (zone) => {
		const shown = decodeURIComponent(zone).slice(0, 40);
		expect(await ask(`range=7d&zone=${zone}`)).toEqual({
			status: 400,
			asked: [],
			retry: null,
			body: {
				message: `zone is "${shown}": it must be an IANA time zone, such as Europe/Berlin.`,
			},
		});
	},
);

test('a filter that no event can match is refused, and nothing is read', async () => {
	for (const query of [
		'f=planet:Mars',
		'f=path',
		'f=path>5',
		`f=path:${'x'.repeat(300)}`,
		'source=%00',
	])
		expect(await ask(`range=7d&${query}`)).toMatchObject({ status: 400, asked: [] });
	expect(await ask('range=7d&by=planet')).toMatchObject({ status: 400, asked: [] });
});

test('a zone that Postgres does not know is refused as it was given', async () => {
	const { status, body } = await ask('range=7d&zone=ASIA/kolkata', (zone) =>
		throwing(new ZoneError(zone))(),
	);
	expect([status, body]).toEqual([
		400,
		{ message: 'zone is "ASIA/kolkata": it must be an IANA time zone, such as Europe/Berlin.' },
	]);
});

test('what cannot be read now may be asked for again', async () => {
	const busy = await ask('range=7d', throwing(new BusyError()));
	const away = await ask('range=7d', throwing(new Error('gone')));
	expect([busy, away].map(({ status, retry, body }) => [status, retry, body])).toEqual([
		[503, '5', { message: 'History cannot be read now: too much of it is being read.' }],
		[503, '5', { message: 'History cannot be read now: Postgres is not answering.' }],
	]);
});
