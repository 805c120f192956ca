/**
 * From the body of POST /api/presence (`unknown`) to what is said of sessions, or to every reason why not. Pure. As with events,
 * a batch is taken or refused as a whole and unknown fields are refused.
 */
import { toPath } from '../../path';
import { INGEST_LIMITS as LIMITS, type EventContext, type InputError } from '../../protocol';
import { isObject, member, textFault } from '../db/json-limits';
import { parseContext } from './parse-context';
import {
	DEFAULT_SOURCE,
	isLonger,
	MAX_ERRORS,
	shown,
	TIMESTAMP_RULE,
	toTime,
} from './parse-events';

export const STATES = ['here', 'hidden', 'gone'] as const;

export type InputPresence = {
	source: string;
	sessionId: string | null;
	state: (typeof STATES)[number];
	/** seconds since the last input */
	idle: number;
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
const MAX_ADDRESS = 2_000;
const MAX_TEXT = 300;
const MAX_IDLE_S = 24 * 60 * 60;

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
	...['sessionId', 'state', 'idle', 'source', 'timestamp', 'context', 'slash'],
	...Object.keys(TEXTS),
];

/** @param source of a session that names none */
export function parsePresence(body: unknown, source = DEFAULT_SOURCE): ParsedPresence {
	const batch = Array.isArray(body);
	if (batch && (body.length === 0 || body.length > LIMITS.batch)) {
		const rule = `must be one session or an array of 1 to ${LIMITS.batch}`;
		const error = { path: '(body)', value: `${body.length} sessions`, rule };
		return { ok: false, errors: [error], omitted: 0 };
	}
	const errors: InputError[] = [];
	let omitted = 0;
	const items = (batch ? (body as unknown[]) : [body]).map((value, index) =>
		parseOne(value, source, (path, wrong, rule) => {
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
		const found = get('state') ?? 'here';
		const known = STATES.find((one) => one === found);
		if (!known) fail('state', found, `must be one of ${STATES.join(', ')}`);
		return known ?? 'here';
	}
	function idle(): number {
		const found = get('idle') ?? 0;
		if (typeof found === 'number' && found >= 0 && Number.isFinite(found))
			return Math.min(found, MAX_IDLE_S);
		fail('idle', found, 'must be a number of seconds, at least 0');
		return 0;
	}
	function slash(): boolean {
		const found = get('slash') ?? false;
		if (typeof found !== 'boolean') fail('slash', found, 'must be true or false');
		return found === true;
	}
	function statedAt(): number | null {
		const found = get('timestamp');
		if (found === null) return null;
		const at = toTime(found);
		if (at === null) fail('timestamp', found, TIMESTAMP_RULE);
		return at;
	}

	const properties: InputPresence['properties'] = {};
	for (const [field, max] of Object.entries(TEXTS)) {
		const found = text(field, max);
		if (found !== null) properties[field] = found;
	}
	const keepsSlash = slash();
	if (typeof properties.path === 'string') properties.path = toPath(properties.path, keepsSlash);
	return {
		source: text('source', LIMITS.sourceLength) ?? source,
		sessionId: text('sessionId', LIMITS.sessionIdLength),
		state: state(),
		idle: idle(),
		properties,
		context: parseContext(get('context'), fail),
		statedAt: statedAt(),
	};
}
