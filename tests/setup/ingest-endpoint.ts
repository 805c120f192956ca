/**
 * POST /api/events as a client sees it, for tests under vitest: real HTTP through the adapter's own conversion, real ingest, real
 * Postgres. The table is emptied before each test.
 */
import { once } from 'node:events';
import { Agent, createServer, request as send, type Server } from 'node:http';
import { getRequest, setResponse } from '@sveltejs/kit/node';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { connect } from '../../src/lib/server/db/connect';
import { createBodyBudget, type BodyBudget } from '../../src/lib/server/http/body-budget';
import { readRest } from '../../src/lib/server/http/read-body';
import { createOwnVisits, type OwnVisits } from '../../src/lib/server/ignored/own-visits';
import { createRobots, type Robots } from '../../src/lib/server/ignored/robots';
import { createContextReader, type ContextReader } from '../../src/lib/server/ingest/context';
import { createIngest, type Ingest } from '../../src/lib/server/ingest/group-commit';
import { createIngestLimits, type IngestLimits } from '../../src/lib/server/ingest/rate-limits';
import { createRejections, type Rejections } from '../../src/lib/server/ingest/rejections';
import { createVisitorIds, type VisitorIds } from '../../src/lib/server/ingest/visitor-salt';
import { createKeyCheck, type KeyCheck } from '../../src/lib/server/keys/key-check';
import { createKey } from '../../src/lib/server/keys/key-store';
import type { NewKey } from '../../src/lib/server/keys/parse-new-key';
import { OPTIONS, POST } from '../../src/routes/api/events/+server';
import { createDatabase, type TestDatabase } from './database';

export type Answer = { status: number; headers: Record<string, unknown>; body: unknown };
type Handler = (event: object) => Response | Promise<Response>;
type Locals = {
	context: ContextReader;
	bodies: BodyBudget;
	ingest: Ingest;
	ingestOpen: boolean;
	keys: KeyCheck;
	limits: IngestLimits;
	rejections: Rejections;
	ownVisits: OwnVisits;
	robots: Robots;
	visitors: Pick<VisitorIds, 'of'>;
};
type Endpoint = {
	database: TestDatabase;
	ingest: Ingest;
	server: Server;
	/** what the handler is given; new for each test */
	locals: Locals;
	/** as adapter-node's BODY_SIZE_LIMIT */
	bodySizeLimit: number;
};

export const LIMIT = 512 * 1024;
export const QUIET = { info: () => {}, warn: () => {} };
export const JSON_TYPE = { 'content-type': 'application/json' };
export const GZIP = { ...JSON_TYPE, 'content-encoding': 'gzip' };
export const SHOP: NewKey = { kind: 'public', source: 'shop', name: 'shop', origins: [] };
export const BOUND: NewKey = { ...SHOP, origins: ['https://shop.example'] };
export const ORDERS: NewKey = { kind: 'secret', source: 'orders', name: 'orders', origins: [] };

/** Its fields are there while tests run. */
export function useEndpoint() {
	const endpoint = { bodySizeLimit: LIMIT } as Endpoint;
	let keys: KeyCheck;
	/** one connection, kept: a refused body that is not read would block the next request on it */
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });

	beforeAll(async () => {
		const database = await createDatabase();
		const connectTo = () => connect(database.url, { max: 1 });
		const ingest = createIngest({ connect: connectTo, log: QUIET });
		keys = createKeyCheck({ connect: connectTo, log: QUIET });
		const server = createServer((req, res) => {
			void (async () => {
				const { bodySizeLimit, locals } = endpoint;
				const request = await getRequest({ request: req, base: 'http://localhost', bodySizeLimit });
				const set: Record<string, string> = {};
				const setHeaders = (headers: Record<string, string>) => void Object.assign(set, headers);
				const handler = (req.method === 'OPTIONS' ? OPTIONS : POST) as unknown as Handler;
				// as SvelteKit does it: headers that were set go on every answer, also on that to a throw
				const url = new URL(request.url);
				const getClientAddress = () => request.headers.get('x-address') ?? '192.0.2.1';
				const response = await Promise.resolve(
					handler({ request, url, locals, setHeaders, getClientAddress }),
				).catch(() => new Response(null, { status: 500 }));
				for (const [name, value] of Object.entries(set)) response.headers.set(name, value);
				if (!(await readRest(req))) response.headers.set('connection', 'close');
				await setResponse(res, response);
			})();
		}).listen(0, '127.0.0.1');
		await once(server, 'listening');
		Object.assign(endpoint, { database, ingest, server });
	});
	beforeEach(async () => {
		const { database, ingest } = endpoint;
		endpoint.locals = {
			bodies: createBodyBudget(),
			context: createContextReader({ countries: () => null, countryHeader: null }),
			ingest,
			ingestOpen: true,
			keys,
			limits: createIngestLimits(),
			rejections: createRejections(),
			ownVisits: createOwnVisits(),
			robots: createRobots(),
			visitors: createVisitorIds(database.sql),
		};
		endpoint.bodySizeLimit = LIMIT;
		await database.sql`TRUNCATE nowboard.events`;
	});
	afterAll(async () => {
		agent.destroy();
		endpoint.server.close();
		await keys.close();
		await endpoint.ingest.close();
		await endpoint.database.drop();
	});

	function post(
		body: string | Uint8Array | undefined,
		headers: Record<string, string> = JSON_TYPE,
		{ method = 'POST', query = '' } = {},
	): Promise<Answer> {
		const { port } = endpoint.server.address() as { port: number };
		return new Promise((resolve, reject) => {
			const path = `/api/events${query}`;
			const req = send({ port, host: '127.0.0.1', path, method, headers, agent });
			req.on('error', reject);
			req.on('response', (res) => {
				const chunks: Buffer[] = [];
				res.on('data', (chunk: Buffer) => chunks.push(chunk));
				res.on('end', () => {
					const text = Buffer.concat(chunks).toString();
					const parsed: unknown = text === '' ? null : JSON.parse(text);
					resolve({ status: res.statusCode ?? 0, headers: res.headers, body: parsed });
				});
			});
			req.end(body);
		});
	}
	return {
		endpoint,
		post,
		makeKey: async (input: NewKey) =>
			(await createKey(endpoint.database.sql, input, 'command')).key,
		/** The names of what was saved, in its order. */
		names: async () =>
			(await endpoint.database.sql`SELECT name FROM nowboard.events ORDER BY id`).map(
				({ name }) => name as string,
			),
	};
}
