/** The second half of `npm run build`: scripts/release.ts as one file beside what adapter-node wrote; dependencies stay outside. */
import { build } from 'vite';

await build({
	configFile: false,
	envDir: false,
	publicDir: false,
	logLevel: 'warn',
	build: {
		ssr: 'scripts/release.ts',
		outDir: 'build',
		emptyOutDir: false,
		rollupOptions: { output: { entryFileNames: 'migrate.js' } },
	},
});
