/** Which sources a build was made from, so that one that is still current is not made again. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = ['src', 'static', 'scripts'];
const FILES = ['package-lock.json', 'svelte.config.js', 'vite.config.ts', 'tsconfig.json'];
const NOTE = 'sources.txt';

/** @returns a hash of everything that a build is made from; tests are not */
export function hashSources(root = '.'): string {
	const paths = FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
		readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile() && !/\.test\.ts$/.test(entry.name))
			.map(({ parentPath, name }) => join(parentPath, name)),
	);
	const files = FILES.map((name) => join(root, name)).filter((path) => existsSync(path));
	const hash = createHash('sha256');
	for (const path of [...paths, ...files].sort()) {
		const content = readFileSync(path);
		hash.update(`${path.slice(root.length)} ${content.length}\n`).update(content);
	}
	return hash.digest('hex');
}

/** Writes into a finished build what it was made from. */
export function noteSources(folder: string, hash: string): void {
	writeFileSync(join(folder, NOTE), `${hash}\n`);
}

/** Whether the build in `folder` was made from these sources. */
export function isBuiltFrom(folder: string, hash: string): boolean {
	const note = join(folder, NOTE);
	return existsSync(note) && readFileSync(note, 'utf8').trim() === hash;
}
