/** A way to send an event, ready to copy. */
export type Way = { name: string; how: string; code: string };

/** Three ways to send an event to the server at `origin` (scheme, host and port, no slash at the end). */
export function toWays(origin: string): Way[] {
	return [
		{
			name: 'curl',
			how: 'From any shell.',
			code: [
				`curl ${origin}/api/events \\`,
				`  -H 'content-type: application/json' \\`,
				`  -d '{"name":"signup","properties":{"plan":"pro"}}'`,
			].join('\n'),
		},
		{
			name: 'Script',
			how: 'Page views, and what you call it for.',
			code: [
				`<script defer src="${origin}/t.js"></script>`,
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
