import { describe, expect, test } from 'vitest';
import type { Json } from '../../protocol';
import { toChannel } from './channel';
import { addContext, createContextReader } from './context';
import { readCountries, startCountries, toCountry } from './countries';
import { parseContext } from './parse-context';
import { parseEvents } from './parse-events';
import { createAgents } from './user-agent';

const CHROME =
	'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const IPHONE =
	'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';
const IPAD =
	'Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';
const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

test.each([
	[CHROME, { device: 'desktop', browser: 'Chrome', os: 'Windows' }],
	[IPHONE, { device: 'mobile', browser: 'Safari', os: 'iOS' }],
	[IPAD, { device: 'tablet', browser: 'Safari', os: 'iOS' }],
	[GOOGLEBOT, { device: 'bot' }],
	['curl/8.5.0', { device: 'bot' }],
	['', {}],
	[null, {}],
	['x'.repeat(10_000), {}],
])('the agent of %j', (userAgent, expected) => {
	const of = createAgents();
	expect([of(userAgent), of(userAgent)]).toEqual([
		expect.objectContaining(expected),
		expect.objectContaining(expected),
	]);
	if (Object.keys(expected).length === 0) expect(of(userAgent)).toEqual({});
});

describe('countries', () => {
	test('the packaged file knows addresses of both families, and none of a local network', async () => {
		const of = await readCountries(null);
		expect(['8.8.8.8', '2001:4860:4860::8888', '193.99.144.80'].map(of)).toEqual([
			'US',
			'US',
			'DE',
		]);
		expect(['127.0.0.1', '10.0.0.1', '::1', 'unknown', ''].map(of)).toEqual(Array(5).fill(null));
	});

	test('a file that cannot be read is told once, and countries stay unknown', async () => {
		const errors: unknown[] = [];
		const of = startCountries('does/not/exist.mmdb', (error) => errors.push(error));
		await expect.poll(() => errors.length).toBe(1);
		expect([of('8.8.8.8'), String(errors[0])]).toEqual([
			null,
			expect.stringContaining('does/not/exist.mmdb'),
		]);
	});

	test.each([
		['de', 'DE'],
		[' AT ', 'AT'],
		['XX', null],
		['T1', null],
		['Germany', null],
		['', null],
		[7, null],
		[null, null],
	])('the code %j is %j', (value, expected) => {
		expect(toCountry(value)).toBe(expected);
	});
});

test.each<[{ [key: string]: Json }, string | null]>([
	[{}, null],
	[{ referrer: 'https://www.google.com/' }, 'search'],
	[{ referrer: 'https://www.google.co.uk/url' }, 'search'],
	[{ referrer: 'https://google.evil.example/' }, 'referral'],
	[{ referrer: 'https://notgoogle.com/' }, 'referral'],
	[{ referrer: 'https://mail.google.com/mail' }, 'mail'],
	[{ referrer: 'https://gemini.google.com/app' }, 'ai'],
	[{ referrer: 'https://m.facebook.com/l.php' }, 'social'],
	[{ referrer: 'https://t.co/abc' }, 'social'],
	[{ referrer: 'https://youtu.be/x' }, 'video'],
	[{ referrer: 'https://blog.example/post' }, 'referral'],
	[{ referrer: 'no address' }, null],
	[{ referrer: 'https://www.google.com/', utm_medium: 'cpc' }, 'ads'],
	[{ utm_medium: 'Email' }, 'mail'],
	[{ utm_source: 'newsletter' }, 'mail'],
	[{ utm_medium: 'social' }, 'social'],
	[{ utm_source: 'partner', utm_campaign: 'spring' }, 'campaign'],
	[{ utm_campaign: 'spring' }, 'campaign'],
	[{ utm_source: 7 }, null],
])('the channel of %j is %j', (properties, expected) => {
	expect(toChannel(properties)).toBe(expected);
});

describe('the context of events', () => {
	const events = (...bodies: object[]) => {
		const parsed = parseEvents(bodies, 0);
		if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
		return parsed.events;
	};
	const reader = createContextReader({
		countries: (address) => (address === '192.0.2.1' ? 'DE' : null),
		countryHeader: null,
	});
	const headers = new Headers({ 'user-agent': CHROME, 'accept-language': 'de-AT,de;q=0.9' });
	const visitor = { address: '192.0.2.1', userAgent: CHROME };

	test('a person’s request tells device, country and language, an event its host and channel', () => {
		const url = { url: 'https://www.shop.example/a', referrer: 'https://duckduckgo.com/' };
		const [first, second] = addContext(
			events({ name: 'page_view', properties: url }, { name: 'signup' }),
			visitor,
			() => reader.ofRequest(headers, visitor.address),
		);
		const seen = {
			country: 'DE',
			device: 'desktop',
			browser: 'Chrome',
			os: 'Windows',
			language: 'de',
		};
		expect(first).toMatchObject({
			properties: url,
			context: { ...seen, host: 'shop.example', channel: 'search' },
		});
		expect(second?.context).toEqual(seen);
	});

	test('the request of a server says nothing of its visitors, and what it gives is kept', () => {
		const context = { country: 'FR', device: 'mobile', host: 'app.example' };
		const added = addContext(events({ name: 'a' }, { name: 'b', context }), null, () =>
			reader.ofRequest(headers, '192.0.2.1'),
		);
		expect(added.map((event) => event.context)).toEqual([null, context]);
	});

	test('a trusted proxy’s country wins; one that it does not know is looked up', () => {
		const behind = createContextReader({ countries: () => 'DE', countryHeader: 'cf-ipcountry' });
		const of = (code: string) =>
			behind.ofRequest(new Headers({ 'cf-ipcountry': code }), '192.0.2.1');
		expect([of('at'), of('XX'), of('nonsense')]).toEqual([
			{ country: 'AT' },
			{ country: 'DE' },
			{ country: 'DE' },
		]);
	});

	test('faults name the field, the value and the rule', () => {
		const faults: unknown[] = [];
		parseContext(
			{
				country: 'Germany',
				city: 'Berlin',
				os: 7,
				host: '',
				browser: null,
				device: 'x'.repeat(200),
			},
			(path, value, rule) => faults.push([path, value, rule]),
		);
		const length = 'must be a text of 1 to 120 characters';
		expect(faults).toEqual([
			['context.country', 'Germany', expect.stringContaining('two letters')],
			['context.city', 'Berlin', expect.stringContaining('country, device, browser')],
			['context.os', 7, length],
			['context.host', '', length],
			['context.device', 'x'.repeat(200), length],
		]);
	});
});
