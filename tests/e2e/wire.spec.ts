/** What the web-platform tests ask of a server, asked of ours, and of what it writes. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PARSERS } from '../wire/parsers';
import { SERVER, type ServerRow } from '../wire/server';
import { expect, test } from './server';

const READ_DEADLINE_MS = 10_000;

/** Asks, and reads until `begins` matches, or the body or the deadline ends. */
async function ask(url: string, { method = 'GET', headers = {}, begins }: Partial<ServerRow>) {
	const closing = new AbortController();
	const timer = setTimeout(() => closing.abort(), READ_DEADLINE_MS);
	const response = await fetch(url, { method, headers, signal: closing.signal });
	const chunks: Uint8Array[] = [];
	const text = () => Buffer.concat(chunks).toString();
	try {
		if (begins && response.body)
			for await (const chunk of response.body) {
				chunks.push(chunk);
				if (begins.test(text())) break;
			}
	} catch (error) {
		if (!closing.signal.aborted) throw error;
	} finally {
		clearTimeout(timer);
		closing.abort();
	}
	return { status: response.status, headers: response.headers, text: text(), chunks };
}

test('every row of the table of what concerns a server', async ({ server }) => {
	const stream = `${server.url}/api/dashboard/stream`;
	const first = await ask(stream, { begins: /event: reset\nid: (\S+)\n/ });
	const cursor = /event: reset\nid: (\S+)\n/.exec(first.text)?.[1] ?? '';
	const fill = (text: string) => text.replace('%cursor%', cursor).replace('%self%', server.url);

	const check = async (row: ServerRow) => {
		const headers = Object.fromEntries(
			Object.entries(row.headers ?? {}).map(([name, value]) => [name, fill(value)]),
		);
		const answer = await ask(stream + fill(row.query ?? ''), { ...row, headers });
		const said = Object.keys(row.answers ?? {}).map((name) => [name, answer.headers.get(name)]);
		expect
			.soft([answer.status, Object.fromEntries(said)], `${row.wpt}: ${row.fact}`)
			.toEqual([row.status ?? 200, row.answers ?? {}]);
		if (row.begins)
			expect.soft(answer.text.slice(0, 2_000), `${row.wpt}: ${row.fact}`).toMatch(row.begins);
	};
	await Promise.all(SERVER.map(check));
});

test('what people write cannot forge a field: both parsers read it as it was sent', async ({
	server,
}) => {
	const names = [
		'a\rdata: forged',
		'b\n\nevent: bye\ndata: {}',
		'c\r\nid: forged-1',
		'\ufeffd',
		'e\u2028',
	];
	const { chunks, text } = await (async () => {
		const reading = ask(`${server.url}/api/dashboard/stream`, { begins: /"last"/ });
		await server.sql`insert into nowboard.events ${server.sql([...names, 'last'].map((name) => ({ name })))}`;
		return reading;
	})();
	for (const [parser, parse] of Object.entries(PARSERS)) {
		const { events, retryMs } = await parse([
			Buffer.from(text.slice(0, text.lastIndexOf('\n\n') + 2)),
		]);
		const carried = events
			.filter(({ event }) => event === 'activity' || event === 'reset')
			.flatMap(({ event, data }) => {
				const { events } = JSON.parse(data) as { events: { name: string }[] };
				return event === 'reset' ? events.reverse() : events;
			});
		expect(
			carried.map(({ name }) => name),
			parser,
		).toEqual([...names, 'last']);
		expect(retryMs).toBe(2_000);
		// ids are few bytes, none of which a browser would ask permission for; only what moves the position carries one
		for (const { event, id } of events) {
			if (event === 'reset' || event === 'activity') expect(id).toMatch(/^[0-9a-z.-]{1,64}$/);
			expect(['ping', 'metrics', 'reset', 'activity']).toContain(event);
		}
	}
	expect(text.match(/^id: /gm)?.length).toBe(text.match(/^event: (reset|activity)$/gm)?.length);
	// every chunk that arrived ends with a complete event
	expect(chunks.filter((chunk) => !Buffer.from(chunk).toString().endsWith('\n\n'))).toEqual([]);
});

test('a page of another origin gets nothing of the stream', async ({ page, server }) => {
	const elsewhere = createServer((_, response) => {
		response.setHeader('content-type', 'text/html').end('<link rel="icon" href="data:,">');
	}).listen(0, '127.0.0.1');
	await once(elsewhere, 'listening');
	try {
		// the browser says so in the console of that page, which is not ours
		const other = await page.context().newPage();
		await other.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`);
		const heard = await other.evaluate(async (url) => {
			const source = new EventSource(url, { withCredentials: true });
			let events = 0;
			for (const name of ['open', 'reset', 'ping', 'metrics'])
				source.addEventListener(name, () => events++);
			await new Promise((resolve) => source.addEventListener('error', resolve));
			return { events, readyState: source.readyState };
		}, `${server.url}/api/dashboard/stream`);
		expect(heard).toEqual({ events: 0, readyState: 2 });
	} finally {
		elsewhere.closeAllConnections();
		elsewhere.close();
	}
});
