/** Names and classes of robots by their User-Agent. The first that matches wins; one that is not listed is `other`. */
import type { RobotClass } from '../../health';

const KINDS: readonly [pattern: RegExp, name: string, kind: RobotClass][] = [
	// AI first: several are named after the company's search engine
	[/google-extended|google-cloudvertexbot/i, 'Google AI', 'ai'],
	[/gptbot/i, 'GPTBot', 'ai'],
	[/oai-searchbot/i, 'OAI-SearchBot', 'ai'],
	[/chatgpt-user/i, 'ChatGPT-User', 'ai'],
	[/claude-?bot|claude-user|claude-searchbot|anthropic-ai/i, 'Claude', 'ai'],
	[/perplexity/i, 'Perplexity', 'ai'],
	[/ccbot/i, 'Common Crawl', 'ai'],
	[/bytespider/i, 'Bytespider', 'ai'],
	[/applebot-extended/i, 'Applebot-Extended', 'ai'],
	[/meta-external(agent|fetcher)|facebookbot/i, 'Meta AI', 'ai'],
	[/amazonbot/i, 'Amazonbot', 'ai'],
	[/mistralai/i, 'Mistral AI', 'ai'],
	[/cohere-ai|diffbot|youbot|timpibot|imagesiftbot/i, 'AI crawler', 'ai'],
	[
		/googlebot|google-inspectiontool|googleother|storebot-google|adsbot-google/i,
		'Googlebot',
		'search',
	],
	[/bingbot|bingpreview|msnbot/i, 'Bingbot', 'search'],
	[/duckduckbot|duckassistbot/i, 'DuckDuckBot', 'search'],
	[/yandex/i, 'Yandex', 'search'],
	[/baiduspider/i, 'Baiduspider', 'search'],
	[/applebot/i, 'Applebot', 'search'],
	[/slurp/i, 'Yahoo Slurp', 'search'],
	[/seznambot/i, 'SeznamBot', 'search'],
	[/naver|yeti\//i, 'Naver', 'search'],
	[/petalbot/i, 'PetalBot', 'search'],
	[/qwant/i, 'Qwant', 'search'],
	[/mojeekbot/i, 'MojeekBot', 'search'],
	[/uptimerobot/i, 'UptimeRobot', 'monitoring'],
	[/pingdom/i, 'Pingdom', 'monitoring'],
	[/statuscake/i, 'StatusCake', 'monitoring'],
	[/better ?uptime|betterstack/i, 'Better Stack', 'monitoring'],
	[/datadog/i, 'Datadog', 'monitoring'],
	[/newrelic/i, 'New Relic', 'monitoring'],
	[/site24x7/i, 'Site24x7', 'monitoring'],
	[/checkly/i, 'Checkly', 'monitoring'],
	[/kube-probe|googlehc|elb-healthchecker|blackbox/i, 'Health check', 'monitoring'],
	[/lighthouse|pagespeed|gtmetrix|webpagetest/i, 'Lighthouse', 'monitoring'],
	[/headless|phantomjs|puppeteer|playwright|selenium/i, 'Headless browser', 'other'],
];

/** A product whose name says what it is. */
const SELF_NAMED = /[\w.-]*(?:bot|crawler|spider|scraper|monitor|preview|fetch)[\w.-]*/i;
const PRODUCT = /^[\w.-]+/;
/** Any client can make up a name. */
const MAX_NAME_LENGTH = 40;

/** What a robot is called, and its class. Pure. */
export function toRobot(userAgent: string): { name: string; kind: RobotClass } {
	for (const [pattern, name, kind] of KINDS) if (pattern.test(userAgent)) return { name, kind };
	const found = SELF_NAMED.exec(userAgent)?.[0] ?? PRODUCT.exec(userAgent)?.[0] ?? '';
	return { name: found.slice(0, MAX_NAME_LENGTH) || 'Unnamed', kind: 'other' };
}
