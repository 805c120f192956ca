import { chromium } from 'playwright';
import { chromiumLaunchOptions } from '../scripts/browser';
import { publishFor } from './measure';
import { createNumbers } from './numbers';
import { startOurs } from './servers';
const rate = Number(process.argv[2] ?? 100);
const server = await startOurs();
const browser = await chromium.launch(chromiumLaunchOptions());
try {
	const numbers = createNumbers();
	const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
	await page.goto(new URL(server.stream).origin);
	await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
	const times = Math.min(rate, 100);
	await publishFor(server, numbers, { times, events: rate / times }, 5);
	const dt = await page.context().newCDPSession(page);
	await dt.send('Profiler.enable'); await dt.send('Profiler.setSamplingInterval', { interval: 200 });
	await dt.send('Profiler.start');
	await publishFor(server, numbers, { times, events: rate / times }, 10);
	const { profile } = await dt.send('Profiler.stop');
	const self = new Map<number, number>();
	profile.samples!.forEach((id, i) => self.set(id, (self.get(id) ?? 0) + profile.timeDeltas![i]! / 1000));
	const byFn = new Map<string, number>();
	const parents = new Map<number, number>();
	for (const n of profile.nodes) for (const c of n.children ?? []) parents.set(c, n.id);
	const nodes = new Map(profile.nodes.map((n) => [n.id, n]));
	const label = (id: number) => { const f = nodes.get(id)!.callFrame; return `${f.functionName || '(anon)'} ${f.url.split('/').pop()}:${f.lineNumber}:${f.columnNumber}`; };
	for (const [id, ms] of self) byFn.set(label(id), (byFn.get(label(id)) ?? 0) + ms);
	for (const [l, ms] of [...byFn].sort((a, b) => b[1] - a[1]).slice(0, 30)) console.log(ms.toFixed(0).padStart(6), l);
	// who calls the heavy natives
	const total = new Map<string, number>();
	for (const [id, ms] of self) { const seen = new Set<string>(); for (let n: number | undefined = id; n !== undefined; n = parents.get(n)) { const l = label(n); if (!seen.has(l)) { seen.add(l); total.set(l, (total.get(l) ?? 0) + ms); } } }
	console.log('--- inclusive');
	for (const [l, ms] of [...total].sort((a, b) => b[1] - a[1]).slice(0, 40)) console.log(ms.toFixed(0).padStart(6), l);
} finally { await browser.close(); await server.stop(); }
