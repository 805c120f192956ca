/** What `POST /api/events` and `POST /api/presence` take at most, and how they name what they do not take. Imports nothing. */

/** The table's CHECK constraints repeat those that protect readers. */
export const INGEST_LIMITS = {
	batch: 500,
	/** of a whole request: what adapter-node's BODY_SIZE_LIMIT lets through when it is not set; a fuller batch is split */
	bodyBytes: 512 * 1024,
	nameLength: 120,
	sourceLength: 120,
	sessionIdLength: 200,
	userIdLength: 200,
	propertiesBytes: 8 * 1024,
	propertiesKeys: 64,
	propertiesDepth: 5,
	/** texts, numbers, arrays, objects …, at any depth: what 8 KiB of `[{},{},…]` take in memory is twenty times as much */
	propertiesValues: 500,
	/** an older `timestamp` is clamped to this age */
	maxAgeMs: 24 * 60 * 60_000,
} as const;

/** `path` within the event; `value` shortened, absent when the field is; `item` is the index in a batch. */
export type InputError = {
	item?: number;
	path: string;
	value?: string | number | boolean | null;
	rule: string;
};
