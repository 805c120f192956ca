/**
 * From the body of POST /api/presence (`unknown`) to what is said of sessions, or to every reason why not. Pure. As with events,
 * a batch is taken or refused as a whole and unknown fields are refused.
 */
import { INGEST_LIMITS as LIMITS, type InputError } from '../../ingest-limits';
import type { EventContext } from '../../protocol';
import { isObject, member, textFault } from '../db/json-limits';
import { toPageView } from './page-view';
import { parseContext } from './parse-context';
import {
	DEFAULT_SOURCE,
	isLonger,
	MAX_ERRORS,
	shown,
	TIMESTAMP_RULE,
	toTime,
} from './parse-events';

/** Those of a document, and `gone`: it has left. */
export const STATES = ['visible', 'hidden', 'gone'] as const;

export type InputPresence = {
	source: string;
	sessionId: string | null;
	/** as of an event; not kept */
	userId: string | null;
	state: (typeof STATES)[number];
	/** since the last input */
	idleMs: number;
	/** where the session is, and on its first page where it came from: as in a page view */
	properties: { [key: string]: string };
	/** given by a server for its visitor, later joined with what the request says */
	context: EventContext | null;
	/** ms since 1970 by the sender's clock; null: not given */
	statedAt: number | null;
};

export type ParsedPresence =
	| { ok: true; items: InputPresence[] }
	/** `omitted`: how many further errors are not listed */
	| { ok: false; errors: InputError[]; omitted: number };

/** Characters of an address, and of a utm parameter. */
const MAX_ADDRESS = 8_000;
const MAX_TEXT = 300;
/** Parameters of one address. */
const MAX_UTM = 20;
const MAX_IDLE_MS = 24 * 60 * 60_000;

const TEXTS: Readonly<Record<string, number>> = {
	path: MAX_ADDRESS,
	url: MAX_ADDRESS,
	referrer: MAX_ADDRESS,
	utm_source: MAX_TEXT,
	utm_medium: MAX_TEXT,
	utm_campaign: MAX_TEXT,
	utm_term: MAX_TEXT,
	utm_content: MAX_TEXT,
};
const FIELDS = [
	...[
		'sessionId',
		'userId',
		'state',
		'input',
		'source',
		'timestamp',
		'context',
		'slash',
		'utm',
		'title',
	],
	...Object.keys(TEXTS),
];

/**
 * @param now milliseconds since 1970
 * @param source of a session that names none
 */
export function parsePresence(body: unknown, now: number, source = DEFAULT_SOURCE): ParsedPresence {
	const batch = Array.isArray(body);
	if (batch && (body.length === 0 || body.length > LIMITS.batch)) {
		const rule = `must be one session or an array of 1 to ${LIMITS.batch}`;
		const error = { path: '(body)', value: `${body.length} sessions`, rule };
		return { ok: false, errors: [error], omitted: 0 };
	}
	const errors: InputError[] = [];
	let omitted = 0;
	const items = (batch ? (body as unknown[]) : [body]).map((value, index) =>
		parseOne(value, now, source, (path, wrong, rule) => {
			const item = batch ? { item: index } : {};
			if (errors.length < MAX_ERRORS) errors.push({ ...item, path, value: shown(wrong), rule });
			else omitted++;
		}),
	);
	return errors.length > 0 ? { ok: false, errors, omitted } : { ok: true, items };
}

/** The result counts only when nothing failed. `null` is the same as leaving a field out. */
function parseOne(
	value: unknown,
	now: number,
	source: string,
	fail: (path: string, value: unknown, rule: string) => void,
): InputPresence {
	const given = isObject(value) ? value : {};
	if (given !== value) fail('(session)', value, 'must be an object');
	for (const key of Object.keys(given))
		if (!FIELDS.includes(key))
			fail(
				member('', key),
				given[key],
				`is not a field of presence; these are: ${FIELDS.join(', ')}`,
			);
	/** own fields only: a key `__proto__` of a body must not lend its members */
	const get = (field: string) => (Object.hasOwn(given, field) ? given[field] : undefined) ?? null;

	function text(field: string, max: number): string | null {
		const found = get(field);
		if (found === null) return null;
		if (typeof found !== 'string') return (fail(field, found, 'must be a text'), null);
		const fault = textFault(found);
		if (fault) fail(field, found, fault);
		if (found === '' || isLonger(found, max))
			fail(field, found, `must have 1 to ${max} characters`);
		return found;
	}
	function state(): InputPresence['state'] {
		const found = get('state') ?? 'visible';
		const known = STATES.find((one) => one === found);
		if (!known) fail('state', found, `must be one of ${STATES.join(', ')}`);
		return known ?? 'visible';
	}
	function time(field: string): number | null {
		const found = get(field);
		const at = found === null ? null : toTime(found);
		if (found !== null && at === null) fail(field, found, TIMESTAMP_RULE);
		return at;
	}
	/** As an attribute of the tracker: a text is true too. */
	function slash(): unknown {
		const found = get('slash') ?? undefined;
		if (!['boolean', 'string', 'undefined'].includes(typeof found))
			fail('slash', found, 'must be true or false');
		return found;
	}
	/** Parameters as they stand in an address. */
	function utm(): unknown {
		const found = get('utm');
		if (found !== null && !(Array.isArray(found) && found.length <= MAX_UTM))
			fail('utm', found, `must be a list of at most ${MAX_UTM} parameters of an address`);
		return found;
	}
	const statedAt = time('timestamp');
	/** By one clock, if the sender gave both times. */
	function idleMs(): number {
		const input = time('input');
		return input === null ? 0 : Math.min(Math.max((statedAt ?? now) - input, 0), MAX_IDLE_MS);
	}

	const texts = Object.entries(TEXTS).flatMap(([field, max]) => {
		const found = text(field, max);
		return found === null ? [] : [[field, found] as const];
	});
	const page = toPageView({ ...Object.fromEntries(texts), slash: slash(), utm: utm() });
	return {
		source: text('source', LIMITS.sourceLength) ?? source,
		sessionId: text('sessionId', LIMITS.sessionIdLength),
		userId: text('userId', LIMITS.userIdLength),
		state: state(),
		idleMs: idleMs(),
		properties: toTexts(page),
		context: parseContext(get('context'), fail),
		statedAt,
	};
}

function toTexts(page: Readonly<Record<string, unknown>>): InputPresence['properties'] {
	const texts = Object.entries(page).filter(([, value]) => typeof value === 'string');
	return Object.fromEntries(texts) as InputPresence['properties'];
}
