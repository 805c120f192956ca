/** A way to send an event, ready to copy. */
export type Way = { name: string; how: string; code: string };

/** What stands for the keys in what people copy: real ones, or where those are to be put. */
export type SendKeys = { public: string; secret: string };

/** Where they are to be put. */
export const KEY_PLACES: SendKeys = { public: 'nb_pub_…', secret: 'nb_sec_…' };

/**
 * Three ways to send an event to the server at `origin` (scheme, host and port, no slash at the end).
 * @param keys null: the server takes events without one
 */
export function toWays(origin: string, keys: SendKeys | null = null): Way[] {
	return [
		{
			name: 'curl',
			how: keys ? 'From any shell or server, with a secret key.' : 'From any shell.',
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
				? 'Page views, and what you call it for, with a public key.'
				: 'Page views, and what you call it for.',
			code: [
				`<script defer src="${origin}/t.js"${keys ? ` data-key="${keys.public}"` : ''}></script>`,
				``,
				`nowboard('signup', { plan: 'pro' })`,
			].join('\n'),
		},
		{
			name: 'SQL',
			how: 'From anything that writes to the database.',
			code: [`INSERT INTO events (name, properties)`, `VALUES ('signup', '{"plan": "pro"}');`].join(
				'\n',
			),
		},
	];
}
