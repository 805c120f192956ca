/** POSTs of events: good ones, and what is near to them. */
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { post, type FuzzRequest } from './request';
import { nastyText, nastyValue, toHeader, toWellFormed } from './texts';

const FIELDS = [
	'name',
	'properties',
	'sessionId',
	'source',
	'timestamp',
	'eventId',
	'id',
	'tx',
	'__proto__',
];

/** A site has pages. Were it another for each event, the windows would grow for half an hour, and whatever else does would not show. */
const path = fc.oneof(
	{ weight: 99, arbitrary: fc.nat({ max: 999 }).map((page) => `/products/${page}`) },
	{ weight: 1, arbitrary: fc.webPath() },
);

export const goodEvent = fc.record({
	name: fc.constantFrom('page_view', 'signup', 'order'),
	eventId: fc.uuid(),
	sessionId: fc.uuid(),
	properties: fc.record({ path, plan: fc.constantFrom('free', 'pro') }),
});
const badEvent = fc
	.tuple(goodEvent, fc.constantFrom(...FIELDS), nastyValue)
	.map(([event, field, value]) => ({ ...event, [field]: value }));

const JSON_TYPES = ['application/json', 'text/plain', 'application/json; charset=utf-8'];
const OTHER_TYPES = [
	'',
	'text/html',
	'multipart/form-data',
	'application/x-www-form-urlencoded',
	'x',
];

/** Keys that mean something to objects, to pages or to tables. */
const STRANGE_KEYS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', 'path', ''];
/** Sound as JSON, and accepted: what is made of it later must bear it. */
const strangeProperties = fc
	.tuple(fc.constantFrom(...STRANGE_KEYS), fc.jsonValue({ maxDepth: 3 }))
	.map(([name, value]) => {
		const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
		return Buffer.from(`{"name":"page_view","properties":{${member},"in":[{${member}}]}}`);
	});

const toBody = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '');

export const events: fc.Arbitrary<FuzzRequest> = fc.oneof(
	{ weight: 4, arbitrary: goodEvent.map((event) => post('a good event', toBody(event))) },
	{
		weight: 1,
		arbitrary: fc
			.array(goodEvent, { minLength: 2, maxLength: 20 })
			.map((list) => post('good events', toBody(list))),
	},
	{ weight: 6, arbitrary: badEvent.map((event) => post('a bad event', toBody(event))) },
	{
		weight: 2,
		arbitrary: fc
			.array(fc.oneof(goodEvent, badEvent, nastyValue), { maxLength: 20 })
			.map((list) => post('a mixed batch', toBody(list))),
	},
	{ weight: 2, arbitrary: nastyValue.map((value) => post('some JSON', toBody(value))) },
	{ weight: 2, arbitrary: strangeProperties.map((body) => post('strange properties', body)) },
	{
		weight: 2,
		arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => post('bytes', Buffer.from(bytes))),
	},
	{
		weight: 2,
		arbitrary: fc
			.tuple(goodEvent, fc.nat(200))
			.map(([event, cut]) => post('JSON that is cut', toBody(event).subarray(0, cut))),
	},
	{
		weight: 1,
		arbitrary: fc
			.tuple(fc.constantFrom('[', '{"a":', '{"name":"x","properties":{"a":'), fc.nat(5_000))
			.map(([open, depth]) => post('deep JSON', Buffer.from(open.repeat(depth)))),
	},
	{
		weight: 1,
		arbitrary: fc
			.integer({ min: 1, max: 700_000 })
			.map((size) => post('a large body', Buffer.alloc(size, 'a'))),
	},
	{
		weight: 1,
		arbitrary: fc
			.tuple(
				goodEvent,
				fc.constantFrom(...OTHER_TYPES, ...JSON_TYPES),
				fc.constantFrom('utf-16', 'gzip', 'br', 'x'),
			)
			.map(([event, type, encoding]) =>
				post('another encoding', encoding === 'gzip' ? gzipSync(toBody(event)) : toBody(event), {
					'content-type': type,
					'content-encoding': encoding,
				}),
			),
	},
	{
		weight: 1,
		arbitrary: fc
			.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom(' ', '0', '"', '['))
			.map(([mib, letter]) =>
				post('a gzip bomb', gzipSync(Buffer.alloc(mib * 2 ** 20, letter)), {
					'content-encoding': 'gzip',
				}),
			),
	},
	{
		weight: 1,
		arbitrary: fc
			.tuple(fc.oneof(goodEvent, badEvent), fc.option(nastyText, { freq: 1 }))
			.map(([event, source]) =>
				post('with a good key', toBody(source === null ? event : { ...event, source }), {
					authorization: 'Bearer {key}',
				}),
			),
	},
	{
		weight: 1,
		arbitrary: fc.tuple(goodEvent, nastyText).map(([event, key]) => ({
			...post('with a key', toBody(event), { authorization: `Bearer ${toHeader(key)}` }),
			path: `/api/events?key=${encodeURIComponent(toWellFormed(key))}`,
		})),
	},
);
