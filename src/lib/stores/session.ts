/**
 * The path of one session on an open page: what the table has, in pages, and what comes live. The live part is a view like
 * any other, `f=session:…`, with a stream of its own while the panel is open. After a reset the first page is read again, since
 * events may be missing or erased.
 */
import { writable, type Readable } from 'svelte/store';
import type { ActivityEvent, StreamEvents } from '../protocol';
import type { SessionPath, SessionView } from '../session';
import { toEnvironment, type Environment } from './environment';
import { createEventStream, type Received } from './event-stream';
import { PARSERS, parseSession } from './parse';
import { ask } from './status';

export type LiveSession = Readable<SessionView> & {
	/** Reads the next page of older events, or the first one again after a failure. */
	more(): Promise<void>;
};

/** The status of a session of which there is no event. */
const MISSING = 404;

/** Reads the session and follows it by a stream of its own, while it is subscribed to. */
export function createSession({
	session,
	url = '/api/dashboard/session',
	streamUrl = '/api/dashboard/stream',
	environment = toEnvironment(),
	...options
}: {
	session: string;
	url?: string;
	streamUrl?: string;
	environment?: Environment | null;
	fetch?: typeof fetch;
}): LiveSession {
	const fetcher: typeof fetch = (...args) => (options.fetch ?? fetch)(...args);
	let view: SessionView = {
		events: [],
		start: null,
		user: null,
		hasOlder: false,
		people: undefined,
		state: 'reading',
	};
	let older: string | null = null;
	/** counts first pages: the answer to an earlier one is late */
	let readings = 0;
	let isReadingMore = false;
	/** came live since the first page was asked for */
	let fresh: ActivityEvent[] = [];
	let resets = 0;
	const { subscribe, set } = writable(view, start);
	const show = (change: Partial<SessionView>) => set((view = { ...view, ...change }));

	async function read(before: string | null) {
		const query = new URLSearchParams({ session, ...(before !== null && { before }) });
		let status = 0;
		const noting: typeof fetch = async (...args) => {
			const response = await fetcher(...args);
			({ status } = response);
			return response;
		};
		const answer = await ask(`${url}?${query}`, parseSession, noting);
		return answer.ok ? answer.value : status === MISSING ? 'missing' : 'failed';
	}

	async function readFirst(): Promise<void> {
		const reading = ++readings;
		fresh = [];
		const page = await read(null);
		if (reading !== readings) return;
		if (page === 'failed') return show({ state: view.state === 'read' ? 'read' : page });
		const { events, start = null, user = null } = page === 'missing' ? EMPTY : page;
		older = page === 'missing' ? null : page.older;
		const all = merge(events, fresh);
		const state = page === 'missing' && all.length === 0 ? page : 'read';
		show({
			events: all,
			start: start ?? all.at(-1) ?? null,
			user,
			hasOlder: older !== null,
			state,
		});
	}

	async function more(): Promise<void> {
		if (view.state === 'failed') return readFirst();
		if (older === null || isReadingMore) return;
		isReadingMore = true;
		const reading = readings;
		const page = await read(older);
		isReadingMore = false;
		if (typeof page === 'string' || reading !== readings) return;
		({ older } = page);
		show({ events: merge(view.events, page.events), hasOlder: older !== null });
	}

	function take(events: readonly ActivityEvent[]) {
		if (events.length === 0) return;
		fresh.push(...events);
		if (view.state === 'reading') return;
		const all = merge(view.events, events);
		show({ events: all, start: view.start ?? all.at(-1) ?? null, state: 'read' });
	}

	function onEvent(...[name, payload]: Received<StreamEvents>): void {
		if (name === 'presence') show({ people: payload.people });
		else if (name === 'activity') {
			take(payload.events);
			if (payload.omitted > 0) void readFirst();
		} else if (name === 'reset') {
			show({ people: payload.people });
			if (resets++ === 0) take(payload.events);
			else void readFirst();
		}
	}

	function start() {
		if (!environment) return;
		// the page is read while the stream opens: what falls between the two is in the first reset
		void readFirst();
		const stream = createEventStream<StreamEvents>(
			(cursor) => {
				const query = new URLSearchParams({ f: `session:${session}`, by: '' });
				query.set('events', 'activity,presence');
				if (cursor) query.set('cursor', cursor);
				return `${streamUrl}?${query}`;
			},
			{ parsers: PARSERS, onEvent, environment },
		);
		const leave = stream.subscribe(() => {});
		return () => {
			readings++;
			leave();
		};
	}

	return { subscribe, more };
}

const EMPTY: Pick<SessionPath, 'events' | 'start' | 'user'> = { events: [] };

/** Both, each event once, the newest first. */
function merge(
	some: readonly ActivityEvent[],
	others: readonly ActivityEvent[],
): readonly ActivityEvent[] {
	const byId = new Map([...some, ...others].map((event) => [event.id, event]));
	return [...byId.values()].sort(
		(a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || b.id - a.id,
	);
}
