/** `npm run test:long`: tests that take a minute each. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		name: 'long',
		include: ['{src,scripts,tests,bench}/**/*.long.ts'],
		exclude: ['tests/e2e/**', '**/node_modules/**'],
		globalSetup: ['tests/setup/postgres.ts'],
		setupFiles: ['tests/setup/console.ts'],
		expect: { poll: { timeout: 60_000 } },
		testTimeout: 600_000,
		hookTimeout: 240_000,
	},
});
