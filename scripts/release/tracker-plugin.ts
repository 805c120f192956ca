/**
 * Vite plugin: `import code from 'virtual:tracker'` is src/lib/tracker/tracker.ts and what it imports, bundled into one
 * classic script and minified, as a text. It is built apart from the app, because it runs on other people's pages: no
 * shared chunks, no modules, older browsers. Under `vite dev`, saving one of its files builds it again.
 */
import { minify } from 'terser';
import { build, type Plugin } from 'vite';

const NAME = 'virtual:tracker';
const RESOLVED = `\0${NAME}`;
const ENTRY = 'src/lib/tracker/tracker.ts';
/** Optional chaining is in every browser since 2020; nothing here needs more. */
const TARGET = 'es2020';

export function tracker(): Plugin {
	return {
		name: 'nowboard-tracker',
		resolveId: (id) => (id === NAME ? RESOLVED : undefined),
		async load(id) {
			if (id !== RESOLVED) return;
			const { code, files } = await bundleTracker();
			for (const file of files) this.addWatchFile(file);
			return `export default ${JSON.stringify(code)};`;
		},
	};
}

/** The minified script, and the files it was made from. */
export async function bundleTracker(): Promise<{ code: string; files: string[] }> {
	const built = await build({
		configFile: false,
		envDir: false,
		publicDir: false,
		logLevel: 'warn',
		build: {
			write: false,
			target: TARGET,
			minify: true,
			lib: { entry: ENTRY, formats: ['iife'], name: 'tracker' },
		},
	});
	const [output] = [built].flat();
	if (!output || !('output' in output)) throw new Error(`${ENTRY}: the build gave no output.`);
	const [chunk] = output.output;
	// a second pass: it makes what Vite gives about 2 % smaller
	const { code = '' } = await minify(chunk.code, {
		ecma: 2020,
		toplevel: true,
		compress: {
			passes: 4,
			unsafe: true,
			unsafe_arrows: true,
			unsafe_math: true,
			pure_getters: true,
		},
	});
	return { code, files: chunk.moduleIds };
}
