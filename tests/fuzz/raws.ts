/** What Node would not write: broken heads, lengths that lie, chunks that are none, more than one at a time. */
import fc from 'fast-check';
import { goodEvent } from './events';
import type { FuzzRequest } from './request';

export const raws: fc.Arbitrary<FuzzRequest> = fc
	.oneof(
		fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
		fc
			.tuple(fc.nat(1_000), goodEvent)
			.map(([length, event]) =>
				Buffer.from(
					`POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${JSON.stringify(event).slice(0, length >> 1)}`,
				),
			),
		fc
			.uint8Array({ maxLength: 100 })
			.map((bytes) =>
				Buffer.concat([
					Buffer.from(
						'POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
					),
					Buffer.from(bytes),
				]),
			),
		fc
			.nat(40_000)
			.map((size) => Buffer.from(`GET /${'a'.repeat(size)} HTTP/1.1\r\nhost: x\r\n\r\n`)),
		fc
			.nat(400)
			.map((count) => Buffer.from(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(count)}host: x\r\n\r\n`)),
		fc
			.array(fc.constantFrom('/healthz', '/', '/api/dashboard/status', '/x'), {
				minLength: 2,
				maxLength: 20,
			})
			.map((paths) =>
				Buffer.from(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join('')),
			),
		fc
			.tuple(
				fc.constantFrom('cookie', 'accept', 'origin', 'x-forwarded-for', 'te'),
				fc.uint8Array(),
			)
			.map(([name, bytes]) =>
				Buffer.concat([
					Buffer.from(`GET /login HTTP/1.1\r\nhost: x\r\n${name}: `),
					Buffer.from(bytes),
					Buffer.from('\r\n\r\n'),
				]),
			),
		fc.constantFrom(
			Buffer.from('GET / HTTP/1.1\r\n\r\n'),
			Buffer.from('GET / HTTP/9.9\r\nhost: x\r\n\r\n'),
			Buffer.from(
				'POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
			),
			Buffer.from('GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n'),
			Buffer.from('GET http://evil.example/api/dashboard/stream HTTP/1.1\r\nhost: x\r\n\r\n'),
		),
	)
	.map((raw): FuzzRequest => ({
		kind: 'not HTTP',
		method: '',
		path: '',
		headers: {},
		body: null,
		raw,
	}));
