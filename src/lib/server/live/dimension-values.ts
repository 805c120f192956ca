/**
 * Reads the dimensions of an event. The window store, the filter over a row and history all mean these
 * values. Properties and context are untrusted: anything may stand where a text is expected.
 */
import { hash } from 'node:crypto';
import { DIMENSIONS, PROPS, type Dimension, type FixedDimension } from '../../dimensions';
import { toDecimal } from '../../filter';
import { cut, toPath } from '../../path';
import type { Json } from '../../protocol';
import { ownText } from '../copy-string';

type Properties = { readonly [key: string]: Json };

/** What an event's dimensions are read from. */
export type DimensionRow = {
	name: string;
	source: string;
	sessionId: string | null;
	/** absent: none */
	userId?: string | null;
	properties: Properties;
	context: Properties | null;
};

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

const fromContext = (key: string) => (row: DimensionRow) => toText(row.context?.[key]);
const fromProperties = (key: string) => (row: DimensionRow) => toText(row.properties[key]);

const READ: Readonly<Record<FixedDimension, (row: DimensionRow) => string | null>> = {
	name: (row) => row.name,
	source: (row) => row.source,
	host: fromContext('host'),
	path: ({ properties: { path, slash } }) =>
		typeof path === 'string' ? toText(toPath(path, slash === true)) : null,
	referrer: (row) => toText(toHost(row.properties.referrer)),
	channel: fromContext('channel'),
	utm_source: fromProperties('utm_source'),
	utm_medium: fromProperties('utm_medium'),
	utm_campaign: fromProperties('utm_campaign'),
	utm_term: fromProperties('utm_term'),
	utm_content: fromProperties('utm_content'),
	country: fromContext('country'),
	device: fromContext('device'),
	browser: fromContext('browser'),
	os: fromContext('os'),
	language: fromContext('language'),
	session: (row) => row.sessionId,
	user: (row) => toText(row.userId ?? undefined),
};

const READ_COLUMN = DIMENSIONS.map((dimension) => READ[dimension]);

/** The same of a dimension by its position in DIMENSIONS: for what is done to every row. */
export function readColumn(row: DimensionRow, column: number): string | null {
	return (READ_COLUMN[column] as (typeof READ_COLUMN)[number])(row);
}

/** @returns null: not there */
export function readDimension(row: DimensionRow, dimension: Dimension): string | null {
	if (dimension.startsWith(PROPS)) return toScalar(row.properties[dimension.slice(PROPS.length)]);
	return READ[dimension as FixedDimension](row);
}

/** A property as text: an empty one, null, an object and an array are not there. */
export function toScalar(value: Json | undefined): string | null {
	if (typeof value === 'number') return toDecimal(value);
	if (typeof value === 'boolean') return String(value);
	return toText(value);
}

/** UTF-16 units of a value: dictionaries hold 50,000 of a dimension, and a clause of a filter has 300 characters. */
export const MAX_VALUE_LENGTH = 256;
/** Characters of the digest that tells long values apart: 60 bits. */
const DIGEST_LENGTH = 10;

/** A longer text is shown by its beginning, and distinguished by a digest of the whole. */
function toText(value: Json | undefined): string | null {
	if (typeof value !== 'string' || value === '') return null;
	if (value.length <= MAX_VALUE_LENGTH) return value;
	const digest = hash('sha256', value, 'base64url').slice(0, DIGEST_LENGTH);
	return ownText(`${cut(value, MAX_VALUE_LENGTH - DIGEST_LENGTH - 2)}… ${digest}`);
}

/** The host of an address, in lower case and without `www.`; what is no address stays as it is. */
export function toHost(text: Json | undefined): string | null {
	if (typeof text !== 'string' || text === '') return null;
	const authority = SCHEME.exec(text)?.[1];
	if (!authority) return text;
	const host = authority
		.replace(/^[^@]*@/, '')
		.replace(/:\d*$/, '')
		.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
	// a part of a text keeps the whole text in memory
	return ownText(host.replace(/^www\./, '')) || text;
}
