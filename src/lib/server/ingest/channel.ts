/**
 * The channel of an event: how its visitor was reached, from `utm_medium`, `utm_source` and the referrer's host.
 * The table of hosts is matched by suffix, so that `m.facebook.com` is `facebook.com`. Nothing known: no channel.
 */
import { hostOf } from './page-host';

export type Channel =
	'search' | 'social' | 'video' | 'mail' | 'ai' | 'ads' | 'campaign' | 'referral';

const HOSTS: Readonly<Record<'search' | 'social' | 'video' | 'mail' | 'ai', readonly string[]>> = {
	search: [
		...['google', 'bing.com', 'duckduckgo.com', 'yahoo', 'yandex', 'baidu.com', 'ecosia.org'],
		...['qwant.com', 'startpage.com', 'search.brave.com', 'kagi.com', 'naver.com', 'seznam.cz'],
		...['sogou.com', 'mojeek.com', 'swisscows.com'],
	],
	social: [
		...[
			'facebook.com',
			'instagram.com',
			'threads.net',
			'threads.com',
			'x.com',
			'twitter.com',
			't.co',
		],
		...['linkedin.com', 'lnkd.in', 'reddit.com', 'pinterest', 'tiktok.com', 'bsky.app'],
		...['mastodon.social', 'news.ycombinator.com', 'lobste.rs', 'vk.com', 'weibo.com', 'quora.com'],
		...[
			'discord.com',
			'whatsapp.com',
			'wa.me',
			'telegram.org',
			't.me',
			'snapchat.com',
			'tumblr.com',
		],
	],
	video: ['youtube.com', 'youtu.be', 'vimeo.com', 'twitch.tv', 'dailymotion.com'],
	mail: [
		...['mail.google.com', 'outlook.live.com', 'outlook.office.com', 'mail.yahoo.com'],
		...['mail.proton.me', 'app.fastmail.com', 'mail.yandex.ru'],
	],
	ai: [
		...['chatgpt.com', 'chat.openai.com', 'perplexity.ai', 'claude.ai', 'gemini.google.com'],
		...['copilot.microsoft.com', 'chat.mistral.ai', 'chat.deepseek.com'],
	],
};

/** The narrowest first: `mail.google.com` is mail, `google.de` is search. */
const ORDER = ['mail', 'ai', 'video', 'social', 'search'] as const;
const PAID = /^(cpc|ppc|cpm|cpv|cpa|paid.*|.*ads?|display|banner|retargeting)$/;
const MAIL = /^(e-?mail|newsletter)$/;
const SOCIAL = /^(social.*|sm)$/;

type Properties = { readonly [key: string]: unknown };

/** @returns null: typed in, from the same site, or not told */
export function toChannel(properties: Properties): Channel | null {
	const medium = toWord(properties.utm_medium);
	const source = toWord(properties.utm_source);
	if (PAID.test(medium)) return 'ads';
	if (MAIL.test(medium) || MAIL.test(source)) return 'mail';
	if (SOCIAL.test(medium)) return 'social';
	const host = hostOf(properties.referrer) ?? '';
	const known = byHost(host);
	if (known) return known;
	if (medium || source || toWord(properties.utm_campaign)) return 'campaign';
	return host ? 'referral' : null;
}

function byHost(host: string): Channel | null {
	if (host === '') return null;
	return ORDER.find((channel) => HOSTS[channel].some((one) => isAt(host, one))) ?? null;
}

/** An entry without a dot stands for a name under every country: `google` is google.de and google.co.uk. */
function isAt(host: string, entry: string): boolean {
	if (entry.includes('.')) return host === entry || host.endsWith(`.${entry}`);
	return new RegExp(`(^|\\.)${entry}\\.[a-z]{2,3}(\\.[a-z]{2})?$`).test(host);
}

function toWord(value: unknown): string {
	return typeof value === 'string' ? value.trim().toLowerCase() : '';
}
