/** `npm run release -- --version 1.2.3`: makes the files of the next version; see scripts/release/next-version.ts. */
import { parseRelease, release } from './release/next-version';

try {
	const next = parseRelease(process.argv.slice(2), new Date().toISOString().slice(0, 10));
	release('.', next);
	const { version } = next;
	console.log(
		`Version ${version} is written. Next: npm test, then git commit -am "chore: release ${version}" and git tag v${version}.`,
	);
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}
