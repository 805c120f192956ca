import { isbot } from 'isbot';
import { expect, test } from 'vitest';
import { createRobots, MAX_ROBOTS, OTHERS } from './robots';
import { toRobot } from './robot-kinds';

const GOOGLE = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

test.each([
	[GOOGLE, 'Googlebot', 'search'],
	['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 'Bingbot', 'search'],
	[
		'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
		'GPTBot',
		'ai',
	],
	['Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)', 'Claude', 'ai'],
	['Mozilla/5.0 (compatible; Applebot-Extended/0.1)', 'Applebot-Extended', 'ai'],
	['Mozilla/5.0 (Macintosh) Version/8.0.2 Safari/600.2.5 (Applebot/0.1)', 'Applebot', 'search'],
	[
		'Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)',
		'UptimeRobot',
		'monitoring',
	],
	['Mozilla/5.0 (X11; Linux) HeadlessChrome/120.0 Safari/537.36', 'Headless browser', 'other'],
	['Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)', 'AhrefsBot', 'other'],
	['curl/8.1', 'curl', 'other'],
])('%s', (userAgent, name, kind) => {
	expect(toRobot(userAgent)).toEqual({ name, kind });
	expect(isbot(userAgent)).toBe(true);
});

test('counts an hour, then forgets', () => {
	let now = Date.UTC(2026, 0, 1);
	const robots = createRobots(() => now);
	robots.saw(GOOGLE);
	now += 30 * 60_000;
	robots.saw(GOOGLE);
	robots.saw('curl/8.1');
	robots.saw(null);
	expect(robots.list()).toEqual([
		{ name: 'Googlebot', kind: 'search', count: 2, lastAt: '2026-01-01T00:30:00.000Z' },
		{ name: 'Unnamed', kind: 'other', count: 1, lastAt: '2026-01-01T00:30:00.000Z' },
		{ name: 'curl', kind: 'other', count: 1, lastAt: '2026-01-01T00:30:00.000Z' },
	]);
	now += 31 * 60_000;
	expect(robots.list().map(({ name, count }) => [name, count])).toEqual([
		['Googlebot', 1],
		['Unnamed', 1],
		['curl', 1],
	]);
	now += 60 * 60_000;
	expect(robots.list()).toEqual([]);
});

test('names that clients make up fill no memory', () => {
	const robots = createRobots(() => 0);
	for (let i = 0; i < 3 * MAX_ROBOTS; i++) robots.saw(`made-up-${i}-bot/1.0`);
	robots.saw('x'.repeat(10_000));
	const list = robots.list();
	expect(list).toHaveLength(MAX_ROBOTS + 1);
	expect(list[0]).toMatchObject({ name: OTHERS, count: 2 * MAX_ROBOTS + 1 });
	expect(Math.max(...list.map(({ name }) => name.length))).toBeLessThanOrEqual(40);
});
