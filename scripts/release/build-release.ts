/**
 * The one build for all commands: SvelteKit's, then the server's entry over adapter-node's, and the
 * operator's commands, because production has neither tsx nor src/. `dependencies` stay outside; others are
 * bundled. The build is moved into place as a whole, so a running server never sees half of one.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { build } from 'vite';

const PROGRAMS = {
	index: 'src/entry.server.ts',
	migrate: 'scripts/release/release.ts',
	keys: 'scripts/keys.ts',
	doctor: 'scripts/doctor.ts',
	erase: 'scripts/erase.ts',
};

/** @param to the folder that it replaces */
export async function buildRelease(to: string): Promise<void> {
	const fresh = `.svelte-kit/build-${process.pid}`;
	const old = `${fresh}-old`;
	try {
		// svelte.config.js hands it to the adapter
		process.env.NOWBOARD_BUILD_FOLDER = fresh;
		await build();
		await buildPrograms(fresh);
		if (existsSync(to)) renameSync(to, old);
		renameSync(fresh, to);
	} finally {
		for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
	}
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
