/**
 * The one build for all commands: SvelteKit's, then the server's entry over adapter-node's, and the
 * operator's commands, because production has neither tsx nor src/. `dependencies` stay outside; others are
 * bundled. The build is moved into place as a whole, so a running server never sees half of one.
 */
import { cpSync, existsSync, renameSync, rmSync } from 'node:fs';
import { build } from 'vite';
import { hashSources, isBuiltFrom, noteSources } from './sources';

const PROGRAMS = {
	index: 'src/entry.server.ts',
	migrate: 'scripts/release/release.ts',
	keys: 'scripts/keys.ts',
	doctor: 'scripts/doctor.ts',
	erase: 'scripts/erase.ts',
};

const FRESH = `.svelte-kit/build-${process.pid}`;
const OLD = `${FRESH}-old`;

/** @param to the folder that it replaces */
export async function buildRelease(to: string): Promise<void> {
	try {
		const sources = hashSources();
		// svelte.config.js hands it to the adapter
		process.env.NOWBOARD_BUILD_FOLDER = FRESH;
		await build();
		await buildPrograms(FRESH);
		noteSources(FRESH, sources);
		moveTo(to);
	} finally {
		tidyUp();
	}
}

/** Leaves `to` as it is when it is current, or copies the build of `npm run build`. @returns whether `to` is current */
export function reuseRelease(to: string): boolean {
	const sources = hashSources();
	if (isBuiltFrom(to, sources)) return true;
	if (!isBuiltFrom('build', sources)) return false;
	try {
		cpSync('build', FRESH, { recursive: true });
		moveTo(to);
	} finally {
		tidyUp();
	}
	return true;
}

function moveTo(to: string): void {
	if (existsSync(to)) renameSync(to, OLD);
	renameSync(FRESH, to);
}

function tidyUp(): void {
	for (const folder of [FRESH, OLD]) rmSync(folder, { recursive: true, force: true });
}

async function buildPrograms(folder: string): Promise<void> {
	// of the entry that is replaced
	rmSync(`${folder}/index.js.map`, { force: true });
	await build({
		configFile: false,
		envDir: false,
		publicDir: false,
		logLevel: 'warn',
		ssr: { noExternal: ['eventsource-parser'] },
		build: {
			ssr: true,
			outDir: folder,
			emptyOutDir: false,
			rollupOptions: {
				input: PROGRAMS,
				output: { entryFileNames: '[name].js', chunkFileNames: 'commands/[name]-[hash].js' },
			},
		},
	});
}
