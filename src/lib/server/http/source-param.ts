/**
 * The source in the address (`?source=`), for the page, its stream and history. It accepts what an event
 * may have as its source, and is kept while a viewer uses it.
 */
import { error } from '@sveltejs/kit';
import { INGEST_LIMITS } from '../../protocol';
import { textFault } from '../db/json-limits';

const MAX_LENGTH = INGEST_LIMITS.sourceLength;

/** @returns null: all sources @throws a refusal, 400, with the rule */
export function toChosenSource(query: URLSearchParams): string | null {
	const source = query.get('source') || null;
	if (source === null) return null;
	// as the table counts: a character of two UTF-16 units is one
	const { length } = [...source];
	if (length > MAX_LENGTH)
		error(400, `source has ${length} characters: it may have at most ${MAX_LENGTH}.`);
	const fault = textFault(source);
	if (fault) error(400, `source ${fault}.`);
	return source;
}
