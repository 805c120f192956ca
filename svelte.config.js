import adapter from '@sveltejs/adapter-node';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/kit').Config} */
export default {
	preprocess: vitePreprocess(),
	kit: {
		// all of a page's styles, 11 KB compressed: the first paint waits for one answer instead of nine
		inlineStyleThreshold: 60_000,
		// scripts/release/build-release.ts builds beside its place, and moves the build there when it is whole
		adapter: adapter({ out: process.env.NOWBOARD_BUILD_FOLDER || 'build' }),
		// SvelteKit's check answers 403 to every cross-origin text/plain POST (all of sendBeacon) before a hook runs.
		// It is off here and replaced by the Origin check in src/hooks.server.ts, which spares ingest alone.
		csrf: { trustedOrigins: ['*'] },
		// a screen on a wall notices a new version (src/routes/Live.svelte)
		version: { pollInterval: 10 * 60_000 },
		csp: {
			mode: 'nonce',
			directives: {
				'default-src': ['self'],
				'script-src': ['self'],
				// the chart and the rolling digits set styles on elements
				'style-src': ['self', 'unsafe-inline'],
				'img-src': ['self', 'data:'],
				'font-src': ['self', 'data:'],
				'connect-src': ['self'],
				'object-src': ['none'],
				'base-uri': ['none'],
				'form-action': ['self'],
				'frame-ancestors': ['none'],
			},
		},
	},
};
