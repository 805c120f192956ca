/** A way to send an event, ready to copy. */
export type Way = { name: string; how: string; code: string };

/** Real keys, to be copied with the rest. */
export type SendKeys = { public: string; secret: string };
/** `needed`: events come with a key, which is not known here; null: they may come without */
export type SendingKeys = SendKeys | 'needed' | null;

const PLACES: SendKeys = { public: 'nb_pub_…', secret: 'nb_sec_…' };
/** Where a key comes from, when it is not known. */
const ORIGIN_OF_KEYS = ', made under Settings or by npm run keys';

/** Three ways to send an event to the server at `origin` (scheme, host and port, no slash at the end). */
export function toWays(origin: string, sending: SendingKeys = null): Way[] {
	const keys = sending === 'needed' ? PLACES : sending;
	const from = sending === 'needed' ? ORIGIN_OF_KEYS : '';
	return [
		{
			name: 'curl',
			how: keys ? `From any shell or server, with a secret key${from}.` : 'From any shell.',
			code: [
				`curl ${origin}/api/events \\`,
				...(keys ? [`  -H 'authorization: Bearer ${keys.secret}' \\`] : []),
				`  -H 'content-type: application/json' \\`,
				`  -d '{"name":"signup","properties":{"plan":"pro"}}'`,
			].join('\n'),
		},
		{
			name: 'Script',
			how: keys
				? `Page views, and events that your page sends, with a public key${from}.`
				: 'Page views, and events that your page sends.',
			code: [
				`<script defer src="${origin}/t.js"${keys ? ` data-key="${keys.public}"` : ''}></script>`,
				``,
				`nowboard('signup', { plan: 'pro' })`,
			].join('\n'),
		},
		{
			name: 'SQL',
			how: 'From anything that writes to the database.',
			code: [
				`INSERT INTO nowboard.events (name, properties)`,
				`VALUES ('signup', '{"plan": "pro"}');`,
			].join('\n'),
		},
	];
}
