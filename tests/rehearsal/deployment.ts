/** The parts of a deployment as the guides make it: what the image holds, an external Postgres, two instances, nginx with TLS. */
import { execFile } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/process/ports';
import { createClient, readText, type Client } from '../../scripts/doctor/client';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { makeTemporaryFolder } from '../setup/server';
import { makeCertificate } from '../system/certificate';
import { buildImage, type Image } from '../system/image';
import { readNginxGuide } from '../system/guide';
import { startNginxProcess } from '../system/nginx-process';

/** Undone in the opposite order, whatever happens. */
export type CleanUp = (undo: () => unknown) => void;

export const PASSWORD = 'correct horse battery';
const LISTEN_MS = 10_000;

export function makeImage(cleanUp: CleanUp): Image {
	const root = makeTemporaryFolder();
	cleanUp(() => rmSync(root, { recursive: true, force: true }));
	return buildImage(root);
}

export type Site = {
	/** as people type it */
	origin: string;
	/** in PEM; whom to trust */
	certificate: string;
	start(): Promise<void>;
};

/** @param unbuffered false: against the guide, and older HTTP to the server */
export async function prepareSite(
	ports: readonly number[],
	unbuffered: boolean,
	cleanUp: CleanUp,
): Promise<Site> {
	const folder = makeTemporaryFolder();
	const files = makeCertificate(folder, 'localhost');
	const port = await freePort();
	const upstreams = ports.map((port) => `127.0.0.1:${port}`);
	let http = readNginxGuide({ port, upstreams, ...files });
	if (!unbuffered)
		http = http
			.replace('proxy_buffering off', 'proxy_ignore_headers X-Accel-Buffering')
			.replace('proxy_http_version 1.1', 'proxy_http_version 1.0');
	const origin = `https://127.0.0.1:${port}`;
	return {
		origin,
		certificate: files.certificate,
		async start() {
			const nginx = startNginxProcess(folder, http);
			cleanUp(nginx.stop);
			const deadline = Date.now() + LISTEN_MS;
			for (;;) {
				const client = await createClient(origin).catch(() => null);
				client?.close();
				if (client) return;
				if (Date.now() > deadline) throw new Error(`nginx does not listen.\n${nginx.output()}`);
				await pause(50);
			}
		},
	};
}

/** What /etc/nowboard.env says in the guide. */
export function toEnv(databaseUrl: string, origin: string): Record<string, string> {
	return {
		DATABASE_URL: databaseUrl,
		ORIGIN: origin,
		DASHBOARD_PASSWORD: PASSWORD,
		ADDRESS_HEADER: 'X-Forwarded-For',
	};
}

/** Starts nothing yet. */
export function createInstance(
	image: Image,
	port: number,
	env: Record<string, string>,
	cleanUp: CleanUp,
): RunningApp {
	const closed = { DASHBOARD_PUBLIC: '', INGEST_OPEN: '', DATABASE_DIRECT_URL: '' };
	const given = { ...closed, ...image.env, ...env };
	const app = createAppServer(port, env.DATABASE_URL ?? '', given, image.folder);
	cleanUp(() => app.kill('SIGKILL'));
	return app;
}

/** One of the commands beside the server. @returns what it prints; throws that when it fails */
export async function runCommand(
	image: Image,
	args: readonly string[],
	env: Record<string, string>,
): Promise<string> {
	const { PATH = '' } = process.env;
	const options = { cwd: image.folder, env: { PATH, ...image.env, ...env } };
	try {
		return (await promisify(execFile)('node', args, options)).stdout.trim();
	} catch (error) {
		const { stdout, stderr } = error as { stdout: string; stderr: string };
		throw new Error(`node ${args.join(' ')} failed.\n${stdout}${stderr}`, { cause: error });
	}
}

/** @param certificate trusted by the doctor */
export function createDoctor(image: Image, certificate: string) {
	return (env: Record<string, string>, ...args: string[]) =>
		runCommand(image, ['build/doctor.js', ...args], { ...env, NODE_EXTRA_CA_CERTS: certificate });
}

export async function statusOf(client: Client, path: string): Promise<number> {
	const answer = await client.ask(path);
	await readText(answer);
	return answer.status;
}

/** Bytes of all files in it. */
export function sizeOf(folder: string): number {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.reduce((bytes, entry) => bytes + statSync(join(entry.parentPath, entry.name)).size, 0);
}
