/** A clone of the project, installed and built: what a command writes there is not seen elsewhere. */
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeTemporaryFolder } from '../setup/server';

const LEFT_OUT = ['.git', '.env', '.data', '.svelte-kit', 'node_modules', 'test-results'];

/** @returns its folder. Throws when there is no build. */
export function copyProject(): string {
	if (!existsSync('build/index.js'))
		throw new Error('build/index.js is missing: run "npm run build" first.');
	const folder = makeTemporaryFolder();
	for (const name of readdirSync('.').filter((one) => !LEFT_OUT.includes(one)))
		cpSync(name, join(folder, name), { recursive: true });
	// one by one: what Vite keeps beside them is this copy's own
	mkdirSync(join(folder, 'node_modules'));
	for (const name of readdirSync('node_modules').filter((one) => !/^\.vite/.test(one)))
		symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name));
	return folder;
}
