/**
 * The second half of `npm run build`: what a server's operator runs beside it, as files beside what adapter-node wrote, because
 * production has neither tsx nor src/. Dependencies stay outside; what is for development otherwise comes along.
 */
import { build } from 'vite';

const COMMANDS = {
	migrate: 'scripts/release/release.ts',
	keys: 'scripts/keys.ts',
	doctor: 'scripts/doctor.ts',
	erase: 'scripts/erase.ts',
};

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
			input: COMMANDS,
			output: { entryFileNames: '[name].js', chunkFileNames: 'commands/[name]-[hash].js' },
		},
	},
});
