/** Numbers that a double would change keep their digits: by HTTP and by SQL, into jsonb, through the stream, to the row of the feed. */
import { render } from 'svelte/server';
import { expect, onTestFinished, test } from 'vitest';
import ActivityRow from '../../src/lib/components/feed/ActivityRow.svelte';
import type { ActivityEvent } from '../../src/lib/protocol';
import { connect } from '../../src/lib/server/db/connect';
import { createBodyBudget } from '../../src/lib/server/http/body-budget';
import { createIngest } from '../../src/lib/server/ingest/group-commit';
import { readJson } from '../../src/lib/server/ingest/json-body';
import { parseEvents } from '../../src/lib/server/ingest/parse-events';
import { follow } from '../setup/follow';
import { startTestInstance, useDatabase } from '../setup/instances';

const LONG = `1${'0123456789'.repeat(40)}`;
/** Number as sent, as Postgres writes it, as a browser gets it. */
const NUMBERS: [sent: string, stored: string, shown: unknown][] = [
	['12345678901234567890', '12345678901234567890', '12345678901234567890'],
	['-9007199254740993', '-9007199254740993', '-9007199254740993'],
	['9007199254740991', '9007199254740991', 9007199254740991],
	[
		'0.1000000000000000055511151231257827',
		'0.1000000000000000055511151231257827',
		'0.1000000000000000055511151231257827',
	],
	[LONG, LONG, LONG],
	['1e400', `1${'0'.repeat(400)}`, `1${'0'.repeat(400)}`],
	['1E-400', `0.${'0'.repeat(399)}1`, `0.${'0'.repeat(399)}1`],
	['-0', '0', 0],
	['19.99', '19.99', 19.99],
	['1e21', '1000000000000000000000', '1000000000000000000000'],
];
const BODY = `{"name":"order","properties":{${NUMBERS.map(([sent], i) => `"n${i}":${sent}`).join()},"list":[12345678901234567890],"isLosslessNumber":true,"value":"1"}}`;

/** As `POST /api/events` reads it. */
async function parse(body: string) {
	const headers = { 'content-type': 'application/json' };
	const request = new Request('http://localhost', { method: 'POST', body, headers });
	const bounds = { maxBytes: 512 * 1024, bodies: createBodyBudget(), network: '192.0.2.0' };
	const read = await readJson(request, bounds);
	if (!read.ok) throw new Error('the body was refused');
	return parseEvents(read.body, Date.now());
}

test('a number keeps its digits, sent by HTTP or written by SQL, in the stream and in the feed', async () => {
	const { url, sql } = await useDatabase();
	const ingest = createIngest({
		connect: () => connect(url, { max: 1 }),
		log: { info: () => {}, warn: () => {} },
	});
	onTestFinished(() => ingest.close());
	const client = follow(await startTestInstance(url));
	await client.until(() => client.resets() === 1);
	const parsed = await parse(BODY);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
	expect(await ingest.submit(parsed.events)).toMatchObject({ accepted: 1 });
	const { properties } = JSON.parse(`{"properties":${BODY.slice(BODY.indexOf('{"n0"'), -1)}}`);
	expect(properties.n0).toBe(12345678901234567000);
	await sql.unsafe(
		`insert into nowboard.events (name, properties) values ('order', '${BODY.slice(BODY.indexOf('{"n0"'), -1)}')`,
	);

	const stored = await sql`
		select ${sql.unsafe(NUMBERS.map((_, i) => `properties ->> 'n${i}' as n${i}`).join())} from nowboard.events`;
	const digits = Object.fromEntries(NUMBERS.map(([, text], i) => [`n${i}`, text]));
	expect([...stored]).toEqual([digits, digits]);

	await client.until(({ ids }) => ids.length === 2);
	const shown = Object.fromEntries(NUMBERS.map(([, , value], i) => [`n${i}`, value]));
	const events = client.of('activity').flatMap(({ events }) => events);
	for (const event of events) {
		expect(event.properties).toEqual({
			...shown,
			...{ list: ['12345678901234567890'], isLosslessNumber: true, value: '1' },
		});
		expect(words(event)).toEqual(expect.arrayContaining(['12345678901234567890', LONG]));
	}
});

/** What stands in the opened row, without markup. */
function words(event: ActivityEvent): string[] {
	const props = { event, now: Date.now(), fresh: false, open: true, ontoggle: () => {} };
	return render(ActivityRow, { props })
		.body.split(/<[^>]*>/)
		.map((text) => text.trim());
}

test.each(['1e16384', '1e-16384', '1e99999999999999999999', `-1e${'9'.repeat(400)}`])(
	'%s is refused: written out it is longer than what is stored',
	async (number) => {
		const parsed = await parse(`{"name":"a","properties":{"a":${number}}}`);
		expect(parsed).toMatchObject({
			ok: false,
			errors: [{ path: 'properties', rule: expect.stringContaining('numbers written out') }],
		});
	},
);

test('a number in the place of a text is named with all of its digits', async () => {
	expect(await parse('{"name":12345678901234567890}')).toMatchObject({
		errors: [{ path: 'name', value: '12345678901234567890', rule: 'must be a text' }],
	});
});
