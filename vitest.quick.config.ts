/** `npm run test:quick`: the units that need no Postgres, no browser and no build (scripts/testing/quick-tests.ts). */
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';
import { findQuickTests } from './scripts/testing/quick-tests.ts';

export default defineConfig({
	plugins: [sveltekit()],
	test: {
		name: 'quick',
		include: findQuickTests(),
		isolate: false,
		setupFiles: ['tests/setup/console.ts'],
		expect: { poll: { timeout: 60_000 } },
		testTimeout: 120_000,
	},
});
