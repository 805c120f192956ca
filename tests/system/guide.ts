/** What docs/deploy/vm.md says a proxy should be, with addresses and files put in; the rest stays as it stands there. */
import { readFileSync } from 'node:fs';

/** The name that the guides use. */
export const GUIDE_NAME = 'now.example.com';

const BLOCKS = {
	nginx: /```nginx\n([\s\S]*?)```/,
	Caddy: /## Caddy\n+```\n([\s\S]*?)```/,
	'nginx of two': /In nginx:\n+```nginx\n([\s\S]*?)```/,
	'Caddy of two': /In Caddy:\n+```\n([\s\S]*?)```/,
} as const;

/** Throws when something that is to be replaced does not stand there exactly once. */
export function readGuide(
	proxy: keyof typeof BLOCKS,
	puts: readonly (readonly [from: string, to: string])[],
): string {
	let text = BLOCKS[proxy].exec(readFileSync('docs/deploy/vm.md', 'utf8'))?.[1] ?? '';
	for (const [from, to] of puts) {
		const count = text.split(from).length - 1;
		if (count !== 1) throw new Error(`"${from}" stands ${count} times in the guide's ${proxy}.`);
		text = text.replace(from, () => to);
	}
	return text;
}

type NginxPlace = { port: number; certificate: string; key: string; upstreams: string[] };

/** @param upstreams hosts and ports of the instances */
export function readNginxGuide({ port, certificate, key, upstreams }: NginxPlace): string {
	const letsencrypt = `/etc/letsencrypt/live/${GUIDE_NAME}`;
	const line = 'server 127.0.0.1:3000 max_fails=0;';
	return readGuide('nginx', [
		['listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`],
		[line, upstreams.map((host) => line.replace('127.0.0.1:3000', host)).join('\n\t')],
		[`${letsencrypt}/fullchain.pem`, certificate],
		[`${letsencrypt}/privkey.pem`, key],
	]);
}
