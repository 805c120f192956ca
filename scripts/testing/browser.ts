/**
 * Where a Chromium is, and how to start it. `vite.config.ts` and `playwright.config.ts` only ask;
 * `scripts/test.ts` alone may install one. Looking has no side effect and does not load Playwright
 * unless Playwright has downloaded a browser before.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type * as playwrightTypes from 'playwright';

type Playwright = typeof playwrightTypes;
const require = createRequire(import.meta.url);

/** Keeps the browser from doing work of its own: updates, sync, a GPU that a server does not have. */
const QUIET_ARGS = [
	'--disable-gpu',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];

const USUAL_PLACES: Partial<Record<NodeJS.Platform, string[]>> = {
	linux: [
		'/usr/bin/chromium',
		'/usr/bin/google-chrome',
		'/usr/bin/google-chrome-stable',
		'/usr/bin/chromium-browser',
	],
	darwin: [
		'/Applications/Chromium.app/Contents/MacOS/Chromium',
		'/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
	],
	win32: [
		'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
		'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
	],
};

/** The path of a Chromium: `CHROMIUM_PATH`, Playwright's own, or one that the system has. */
export function findChromium(): string | undefined {
	const chosen = process.env.CHROMIUM_PATH;
	if (chosen) return chosen;
	const places = [playwrightChromium(), ...(USUAL_PLACES[process.platform] ?? [])];
	return places.find((path) => path !== undefined && existsSync(path));
}

/** What Playwright's `launch` needs: our browser when there is one, and a quiet start. */
export function chromiumLaunchOptions(): { executablePath?: string; args: string[] } {
	const executablePath = findChromium();
	const root = process.getuid?.() === 0;
	const args = root ? ['--no-sandbox', ...QUIET_ARGS] : QUIET_ARGS;
	return executablePath ? { executablePath, args } : { args };
}

/**
 * Returns the path of a Chromium that starts; gets one when there is none: Playwright's download, or
 * as root on Debian and Ubuntu the distribution's package. Throws with the command to run by hand.
 */
export function ensureChromium(log: (line: string) => void = console.log): string {
	const found = findChromium();
	if (found) return assertStarts(found);

	log('No Chromium found: downloading the one that Playwright uses.');
	const playwright = require.resolve('@playwright/test/cli');
	const root = process.getuid?.() === 0;
	run(process.execPath, [playwright, 'install', ...(root ? ['--with-deps'] : []), 'chromium']);
	const downloaded = findChromium();
	if (downloaded) return assertStarts(downloaded);

	if (root && existsSync('/usr/bin/apt-get')) {
		log('The download failed: installing the package "chromium" instead.');
		run('apt-get', ['update', '-qq']);
		run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
		const installed = findChromium();
		if (installed) return assertStarts(installed);
	}
	throw new Error(
		'The tests need a Chromium. Run `npx playwright install --with-deps chromium`, or install ' +
			'Chromium or Chrome and set CHROMIUM_PATH to its program file.',
	);
}

function playwrightChromium(): string | undefined {
	const cache: Partial<Record<NodeJS.Platform, string>> = {
		linux: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ms-playwright'),
		darwin: join(homedir(), 'Library', 'Caches', 'ms-playwright'),
		win32: join(process.env.LOCALAPPDATA ?? homedir(), 'ms-playwright'),
	};
	const folder = process.env.PLAYWRIGHT_BROWSERS_PATH ?? cache[process.platform];
	if (folder !== '0' && !(folder && existsSync(folder))) return undefined;
	const playwright = require('playwright') as Playwright;
	return playwright.chromium.executablePath();
}

function assertStarts(path: string): string {
	// on Windows, --version opens a window instead of printing
	if (process.platform === 'win32') return path;
	try {
		execFileSync(path, ['--version'], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 });
		return path;
	} catch (cause) {
		throw new Error(
			`The Chromium at ${path} does not start. Run \`npx playwright install-deps chromium\`, or ` +
				'set CHROMIUM_PATH to one that does.',
			{ cause },
		);
	}
}

/** A step that may fail: the caller looks at what is there afterwards. */
function run(command: string, args: string[]): void {
	const env = {
		...process.env,
		DEBIAN_FRONTEND: 'noninteractive',
		PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '10000',
	};
	spawnSync(command, args, { stdio: 'inherit', env, timeout: 10 * 60_000 });
}
