/** `npm run test:system`: what runs beside `node build` here is a program of the system (scripts/test-system.ts). */
import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		name: 'system',
		include: ['tests/system/**/*.system.ts'],
		globalSetup: ['tests/setup/postgres.ts'],
		setupFiles: ['tests/setup/console.ts'],
		expect: { poll: { timeout: 60_000 } },
		testTimeout: 60_000,
		hookTimeout: 60_000,
	},
});
