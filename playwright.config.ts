/**
 * End to end: `node build` in a real Chromium. No webServer block: a fixture starts a server for each worker, and one for each
 * test that stops it (tests/e2e/server.ts). Traces cost much: `npx playwright test --trace retain-on-failure` makes them.
 */
import { defineConfig } from '@playwright/test';
import { chromiumLaunchOptions } from './scripts/testing/browser';

export default defineConfig({
	testDir: 'tests/e2e',
	testMatch: '**/*.spec.ts',
	globalSetup: './tests/e2e/postgres.ts',
	outputDir: 'test-results',
	forbidOnly: true,
	retries: 0,
	workers: 3,
	// for machines that are ten times slower
	timeout: 180_000,
	expect: {
		timeout: 30_000,
		// the fonts are ours, how their edges are smoothed is the system's: the pictures are made on Linux
		toHaveScreenshot: {
			threshold: 0.1,
			maxDiffPixelRatio: process.platform === 'linux' ? 0.002 : 0.05,
		},
	},
	snapshotPathTemplate: 'tests/e2e/looks/{arg}{ext}',
	reporter: 'list',
	use: {
		browserName: 'chromium',
		launchOptions: chromiumLaunchOptions(),
		// without a GPU a chart that glides takes a fifth of a core; where motion matters a test asks for it
		contextOptions: { reducedMotion: 'reduce' },
	},
});
