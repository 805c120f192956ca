/** What is sent for one viewer: a frame with one event, and the scripts of the first view. */
import { once } from 'node:events';
import { get } from 'node:http';
import { gzipSync } from 'node:zlib';
import { chromium, type Response } from 'playwright';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { connect } from '../../src/lib/server/db/connect';
import type { Target } from '../setup/target';
import { insertRows, toQuery } from './crowd';
import { createRows } from './rows';

/** Events before the one whose frame is measured, so that the breakdowns are full. */
const BEFORE = 500;

/** Bytes of an `activity` frame that brings one event to a view with four breakdowns. */
export async function measureFrame(target: Target): Promise<number> {
	const sql = connect(target.databaseUrl, { max: 1 });
	const next = createRows(1);
	await insertRows(sql, Array.from({ length: BEFORE }, next), 0);
	const url = `${target.url}/api/dashboard/stream?events=activity&${toQuery([])}`;
	const request = get(url);
	try {
		const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
		let text = '';
		let isSent = false;
		for await (const bytes of response) {
			text += bytes.toString('latin1');
			const frames = text.split('\n\n');
			text = frames.pop() as string;
			for (const frame of frames) {
				const isOurs = frame.includes(`"n":${BEFORE},`);
				if (frame.startsWith('event: activity') && isOurs) return frame.length + 2;
				if (!frame.startsWith('event: reset') || isSent) continue;
				isSent = true;
				await insertRows(sql, [next()], BEFORE);
			}
		}
		throw new Error('the stream ended before the frame came');
	} finally {
		request.destroy();
		await sql.end({ timeout: 1 });
	}
}

/** Gzipped bytes of the scripts that are asked for before the first paint. */
export async function measureFirstScripts(url: string): Promise<number> {
	const browser = await chromium.launch(chromiumLaunchOptions());
	try {
		const page = await browser.newPage();
		const scripts = new Map<string, Response>();
		page.on('response', (response) => {
			if (response.url().endsWith('.js')) scripts.set(response.url(), response);
		});
		await page.goto(url);
		const paint = await page.waitForFunction(
			() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
		);
		const paintedAt = (await paint.jsonValue()) as number;
		const first = await page.evaluate(
			(until) =>
				performance
					.getEntriesByType('resource')
					.filter(({ startTime }) => startTime <= until)
					.map(({ name }) => name),
			paintedAt,
		);
		const own = first.flatMap((name) => scripts.get(name) ?? []);
		const sizes = await Promise.all(
			own.map(async (script) => gzipSync(await script.body()).length),
		);
		return sizes.reduce((sum, size) => sum + size, 0);
	} finally {
		await browser.close();
	}
}
