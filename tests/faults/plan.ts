/**
 * What a run will do, as a pure function of its seed: which clients there are, which faults come, when, and how long.
 * How the parts of a real machine interleave is not in the plan: a seed repeats the script, not the play.
 */
import { createRandom, pick, type Random } from '../../scripts/visitors/random';

export const FAULT_KINDS = [
	'listener killed',
	'one backend killed',
	'all backends killed',
	'Postgres restarted, fast',
	'Postgres restarted, immediate',
	'app killed',
	'app stopped',
	'clients cut',
	'clients half-open',
	'clients delayed',
	'database connections cut',
	'database connections half-open',
	'database connections delayed',
	'table locked',
	'flood',
] as const;
/** Those of a relay, in runs that have one. */
export const RELAY_FAULT_KINDS = [
	'Redis killed, started empty',
	'Redis emptied',
	'Redis paused',
	'Redis slow',
	'Redis cut from all',
	'Redis cut from one',
	'Redis half-open to one',
	'Redis says old things again',
	'two readers at once',
	'reader killed',
	'reader paused past its lock',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number] | (typeof RELAY_FAULT_KINDS)[number];

export type Fault = {
	kind: FaultKind;
	/** the share of the events that is written before it comes */
	after: number;
	/** of those faults that last */
	ms: number;
	/** which instance it is for, of those that are about one */
	instance: number;
};

/** How a client behaves; all resume by cursor. */
export const CLIENT_KINDS = [
	/** as our store: `?cursor=`, backoff, `bye` */
	'store',
	/** as a native EventSource: `Last-Event-ID`, the server's `retry` */
	'native',
	/** leaves for another instance every few seconds */
	'hopper',
	/** cuts its connection in the middle of a frame */
	'cutter',
	/** stops reading for seconds, now and then for longer than the server bears */
	'staller',
] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

export type ClientPlan = {
	kind: ClientKind;
	/** index into FILTERS; null: everything */
	filter: number | null;
	/** through the proxy that faults are done to, or straight to the instance */
	proxied: boolean;
	/** for how long a staller stops reading now and then */
	stallMs: number;
	seed: number;
};

export type Plan = { faults: Fault[]; clients: ClientPlan[] };
export type PlanOptions = {
	seed: number;
	faults: number;
	clients: number;
	instances: number;
	/** longer than the server bears, or not */
	stallMs: number;
	relay: boolean;
};

export const SOURCES = ['web', 'shop', 'api'] as const;

/** What filtered clients follow: the clauses, and by hand what they mean in SQL. At most 8. */
export const FILTERS: readonly { texts: readonly string[]; where: string }[] = [
	{ texts: ['source:web'], where: `source = 'web'` },
	{
		texts: ['path:/p1', 'path:/p2', 'props.amount>=4'],
		where: `properties ->> 'path' in ('/p1', '/p2') and (properties ->> 'amount')::float8 >= 4`,
	},
	{
		texts: ['-source:web', '-path:/p0', 'name^w'],
		where: `source <> 'web' and properties ->> 'path' is distinct from '/p0' and name like 'w%'`,
	},
];

/** Properties of the n-th row of a statement or request, so that filters distinguish rows. */
export const toProperties = (n: number) =>
	n % 5 === 0 ? {} : { path: `/p${n % 4}`, amount: n % 10 };
/** The same in SQL. */
export const PROPERTIES_SQL = `case when n % 5 = 0 then '{}'
	else jsonb_build_object('path', '/p' || n % 4, 'amount', n % 10) end`;

/** Every kind of fault comes once before any comes twice. */
export function toPlan({ seed, faults, clients, instances, stallMs, relay }: PlanOptions): Plan {
	const random = createRandom(seed);
	let deck: FaultKind[] = [];
	return {
		faults: Array.from({ length: faults }, (_, i) => {
			if (deck.length === 0)
				// those of the relay first: they are what such a run is for
				deck = relay
					? [...shuffle(random, FAULT_KINDS), ...shuffle(random, RELAY_FAULT_KINDS)]
					: shuffle(random, FAULT_KINDS);
			return {
				kind: deck.pop() as FaultKind,
				after: (i + 0.5 + random() * 0.5) / (faults + 1),
				ms: Math.round(500 + random() * 2_500),
				instance: Math.floor(random() * instances),
			};
		}),
		clients: Array.from({ length: clients }, () => ({
			kind: pick<ClientKind>(random, [
				['store', 5],
				['native', 2],
				['hopper', 1],
				['cutter', 1],
				['staller', 1],
			]),
			filter: pick<number | null>(random, [[null, 2], ...FILTERS.map((_, i) => [i, 1] as const)]),
			proxied: random() < 0.5,
			stallMs,
			seed: Math.floor(random() * 2 ** 31),
		})),
	};
}

function shuffle<T>(random: Random, values: readonly T[]): T[] {
	const left = [...values];
	const shuffled: T[] = [];
	while (left.length > 0) shuffled.push(...left.splice(Math.floor(random() * left.length), 1));
	return shuffled;
}
