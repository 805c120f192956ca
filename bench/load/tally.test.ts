import { describe, expect, test } from 'vitest';
import { createDecoder } from './decode';
import { createTally } from './tally';

const frame = (numbers: number[], id: number, omitted = 0) =>
	`event: activity\nid: e-${id}\ndata: {"events":[${numbers
		.map((n) => `{"properties":{"n":${n},"t":${1_000 * n}}}`)
		.join(',')}],"omitted":${omitted}}\n\n`;

/** @returns what is told of clients that were sent these bodies, all numbers below `due` being due */
function report(bodies: string[], due: number) {
	const tally = createTally(() => 5_000);
	for (const body of bodies) tally.feed(tally.add(), Buffer.from(body));
	return tally.report(0, due);
}

describe('the tally', () => {
	test('counts what came, wherever the bytes were cut', () => {
		const body = frame([0, 1], 1) + ':\n\n' + frame([2], 2);
		for (let cut = 0; cut <= body.length; cut++) {
			const tally = createTally(() => 5_000);
			const client = tally.add();
			tally.feed(client, Buffer.from(body.slice(0, cut)));
			tally.feed(client, Buffer.from(body.slice(cut)));
			const { delivered, missing, twice, eventFrames, frames, bytes, delays } = tally.report(0, 3);
			expect([delivered, missing, twice, eventFrames, frames, bytes]).toEqual([
				3,
				0,
				0,
				2,
				3,
				body.length,
			]);
			// sent at 0, 1 and 2 ms, received at 5 ms
			expect(delays).toEqual({ p50: 4.25, p90: 5.25, p99: 5.25, max: 5.25 });
			expect([client.cursor, client.newest]).toEqual(['e-2', 2]);
		}
	});

	test('tells what one client did not get, got twice, or had counted', () => {
		const whole = frame([0, 1], 1) + frame([2, 3], 2);
		const lacking = frame([0, 1], 1) + frame([3], 2);
		const again = whole + frame([1], 3);
		const counted = frame([0], 1, 3);
		expect(report([whole, whole], 4)).toMatchObject({ delivered: 8, missing: 0, twice: 0 });
		expect(report([whole, lacking], 4)).toMatchObject({ delivered: 7, missing: 1, twice: 0 });
		expect(report([whole, again], 4)).toMatchObject({ delivered: 8, missing: 0, twice: 1 });
		expect(report([whole, counted], 4)).toMatchObject({ delivered: 5, missing: 0, omitted: 3 });
	});

	test('a state is a new account, and no delivery', () => {
		const reset = `event: reset\nid: e-0\ndata: {"events":[{"properties":{"n":0,"t":0}}]}\n\n`;
		expect(report([reset + frame([1], 1)], 2)).toMatchObject({ delivered: 1, resets: 1 });
	});

	test('what is cut in the middle of a frame counts for nothing', () => {
		const tally = createTally();
		const client = tally.add();
		tally.feed(client, Buffer.from(frame([0], 1).slice(0, -1)));
		tally.cut(client);
		tally.feed(client, Buffer.from(frame([0], 1)));
		expect(tally.report(0, 1)).toMatchObject({ delivered: 1, twice: 0, frames: 1 });
	});
});

describe('the decoder', () => {
	const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';
	function decode(pieces: string[]) {
		let body = '';
		let status = 0;
		const decoder = createDecoder(
			(its) => (status = its),
			(bytes) => (body += bytes.toString()),
		);
		for (const piece of pieces) decoder.feed(Buffer.from(piece));
		return { status, body };
	}

	test('takes the chunks apart, wherever the bytes were cut', () => {
		const wire = `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nabc\r\n\r\n1A\r\n${'x'.repeat(26)}\r\n`;
		for (let cut = 1; cut < wire.length; cut++)
			expect(decode([wire.slice(0, cut), wire.slice(cut)])).toEqual({
				status: 200,
				body: `abc\r\n${'x'.repeat(26)}`,
			});
	});

	test('a body without chunks is handed on', () => {
		expect(decode([`${HEAD}\r\nabc`, 'def'])).toEqual({ status: 200, body: 'abcdef' });
	});
});
