/** What a `User-Agent` says of device, browser and operating system: names only, no versions. */
import Bowser from 'bowser';
import { isbot } from 'isbot';
import { LRUCache } from 'lru-cache';
import { ownText } from '../copy-string';

export type Agent = { device?: string; browser?: string; os?: string };

/** Parsing takes 30 µs, and a busy site sees few hundred different ones. */
const KEPT = 1_000;
/** Longer ones are not from browsers. */
const MAX_LENGTH = 512;
const MAX_NAME_LENGTH = 40;
/** What Bowser calls a platform, as the page names a device. */
const DEVICES: Readonly<Record<string, string>> = {
	desktop: 'desktop',
	mobile: 'mobile',
	tablet: 'tablet',
	tv: 'tv',
	bot: 'bot',
};

/** A parser that remembers the User-Agents it has seen; what is not known is left out. */
export function createAgents(): (userAgent: string | null) => Agent {
	const kept = new LRUCache<string, Agent>({ max: KEPT });
	return (userAgent) => {
		if (!userAgent || userAgent.length > MAX_LENGTH) return {};
		const known = kept.get(userAgent);
		if (known) return known;
		const agent = parse(userAgent);
		kept.set(ownText(userAgent), agent);
		return agent;
	};
}

function parse(userAgent: string): Agent {
	const { browser, os, platform } = Bowser.parse(userAgent);
	const device = isbot(userAgent) ? 'bot' : DEVICES[platform.type ?? ''];
	return {
		...(device && { device }),
		...(browser.name && { browser: toName(browser.name) }),
		...(os.name && { os: toName(os.name) }),
	};
}

const toName = (text: string) => ownText(text.slice(0, MAX_NAME_LENGTH));
