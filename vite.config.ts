import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumLaunchOptions } from './scripts/testing/browser.ts';
import { findMockingTests, findQuickTests } from './scripts/testing/quick-tests.ts';
import { tracker } from './scripts/release/tracker-plugin.ts';

/** How long a test waits for a condition; the default of one second is too short beside other work. */
const POLL_MS = 60_000;
const QUICK_TESTS = findQuickTests();
const MOCKING_TESTS = findMockingTests();
/** A real Postgres is started once for each project that has this. */
const INTEGRATION = {
	globalSetup: ['tests/setup/postgres.ts'],
	setupFiles: ['tests/setup/console.ts'],
	// for machines that are ten times slower
	testTimeout: 120_000,
	hookTimeout: 240_000,
};

export default defineConfig({
	plugins: [tailwindcss(), tracker(), sveltekit()],
	// found late, it would make the dev server and the component tests reload the page
	optimizeDeps: { include: ['bits-ui', 'layerchart/svg'] },
	test: {
		// most of the time they wait for real servers
		maxWorkers: 3,
		expect: { poll: { timeout: POLL_MS } },
		projects: [
			{
				// no program is started; the files of a worker share its modules, which saves a third of the time
				extends: true,
				test: {
					name: 'units',
					include: QUICK_TESTS,
					isolate: false,
					setupFiles: ['tests/setup/console.ts'],
					testTimeout: 120_000,
				},
			},
			{
				// integration; the files of a worker share its modules
				extends: true,
				test: {
					...INTEGRATION,
					name: 'node',
					include: ['{src,scripts,tests,bench}/**/*.test.ts'],
					exclude: ['src/**/*.svelte.test.ts', ...QUICK_TESTS, ...MOCKING_TESTS],
					isolate: false,
				},
			},
			{
				// integration, with modules that a file replaces for itself alone
				extends: true,
				test: { ...INTEGRATION, name: 'mocks', include: MOCKING_TESTS },
			},
			{
				// components, in a real browser
				extends: true,
				test: {
					name: 'browser',
					include: ['src/**/*.svelte.test.ts'],
					setupFiles: ['tests/setup/console.ts'],
					testTimeout: 120_000,
					browser: {
						enabled: true,
						headless: true,
						// a minute is too short beside other work
						connectTimeout: 600_000,
						provider: playwright({ launchOptions: chromiumLaunchOptions() }),
						instances: [{ browser: 'chromium' }],
					},
				},
			},
		],
	},
});
