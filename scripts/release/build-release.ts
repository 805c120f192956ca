/**
 * The second half of `npm run build`: bundles the server's entry over the one that adapter-node wrote, and the operator's commands,
 * because production has neither tsx nor src/. Packages under `dependencies` stay outside; others are bundled.
 */
import { rmSync } from 'node:fs';
import { build } from 'vite';

const PROGRAMS = {
	index: 'src/entry.server.ts',
	migrate: 'scripts/release/release.ts',
	keys: 'scripts/keys.ts',
	doctor: 'scripts/doctor.ts',
	erase: 'scripts/erase.ts',
};

// of the entry that is replaced
rmSync('build/index.js.map', { force: true });
await build({
	configFile: false,
	envDir: false,
	publicDir: false,
	logLevel: 'warn',
	ssr: { noExternal: ['eventsource-parser'] },
	build: {
		ssr: true,
		outDir: 'build',
		emptyOutDir: false,
		rollupOptions: {
			input: PROGRAMS,
			output: { entryFileNames: '[name].js', chunkFileNames: 'commands/[name]-[hash].js' },
		},
	},
});
