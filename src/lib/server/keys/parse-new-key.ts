/**
 * What a new ingest key is to be, from `unknown` to a value or to every reason why not. Pure; the command line and a page ask
 * the same. An origin is compared as text with what browsers send, so it is brought into their form here.
 */
import { INGEST_LIMITS, type InputError } from '../../ingest-limits';
import { textFault } from '../db/json-limits';

export const KEY_KINDS = ['public', 'secret'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

export type NewKey = {
	kind: KeyKind;
	source: string;
	/** what people call it */
	name: string;
	/** as browsers send them; empty: any, or none for a secret key */
	origins: string[];
};

export type ParsedKey = { ok: true; key: NewKey } | { ok: false; errors: InputError[] };

const NAME_LENGTH = 120;
/** Each is compared at every request; a site with more leaves them out, or uses a second key. */
const MAX_ORIGINS = 50;

/** @param input `name` is the source when it is left out */
export function parseNewKey(input: {
	kind?: unknown;
	source?: unknown;
	name?: unknown;
	origins?: readonly unknown[];
}): ParsedKey {
	const errors: InputError[] = [];
	const fail = (path: string, value: unknown, rule: string) =>
		void errors.push({ path, value: typeof value === 'string' ? value : null, rule });

	function text(path: string, value: unknown, maxLength: number): string {
		const fault = typeof value === 'string' ? textFault(value) : null;
		const length = typeof value === 'string' ? [...value].length : 0;
		if (fault) fail(path, value, fault);
		else if (length < 1 || length > maxLength)
			fail(path, value, `must have 1 to ${maxLength} characters`);
		return typeof value === 'string' ? value : '';
	}

	const kind = KEY_KINDS.find((one) => one === input.kind);
	if (!kind)
		fail(
			'kind',
			input.kind,
			'must be "public" (it stands in pages) or "secret" (it stays on servers)',
		);
	const source = text('source', input.source, INGEST_LIMITS.sourceLength);
	const name = text('name', input.name ?? (source || 'a key'), NAME_LENGTH);

	const given = input.origins ?? [];
	const origins = new Set<string>();
	for (const value of given) {
		const origin = toOrigin(value);
		if (origin === null) fail('origin', value, 'must be an origin, such as https://shop.example');
		else origins.add(origin);
	}
	if (kind === 'secret' && given.length > 0)
		fail('origin', given[0], 'must be left out: a secret key is taken from no page');
	if (given.length > MAX_ORIGINS)
		fail('origin', `${given.length} origins`, `must be at most ${MAX_ORIGINS}`);

	if (!kind || errors.length > 0) return { ok: false, errors };
	return { ok: true, key: { kind, source, name, origins: [...origins] } };
}

/**
 * As a browser sends it: lower case, no default port, no slash. Null when it is not just an origin. `*` is
 * refused: URL accepts it as a letter, but its author expects a wildcard.
 */
function toOrigin(value: unknown): string | null {
	if (typeof value !== 'string' || !URL.canParse(value)) return null;
	const { protocol, origin, href } = new URL(value);
	const isOrigin = /^https?:$/.test(protocol) && href === `${origin}/` && !origin.includes('*');
	return isOrigin ? origin : null;
}
