/** Text and values that break things. */
import fc from 'fast-check';

export const nastyText = fc.oneof(
	fc.string({ unit: 'binary', maxLength: 40 }),
	fc.string({ unit: 'grapheme', maxLength: 40 }),
	fc.constantFrom(
		'',
		'\0',
		'\ud800',
		'\udfff x',
		'__proto__',
		'constructor',
		"' or 1=1 --",
		'${jndi:ldap://x}',
		'<script>alert(1)</script>',
		'%s%n%x',
		'\r\nSet-Cookie: a=b',
		'a'.repeat(10_000),
		'9'.repeat(400),
		'-1',
		'NaN',
		'1e999',
		'\u202e\u0000\ufeff',
	),
);
export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
	nastyText,
	fc.jsonValue({ maxDepth: 4 }),
	fc.double(),
	fc.constantFrom(null, true, [], {}, [[[[[[[[]]]]]]]]),
);
/** What may stand in a header that Node writes. */
export function toHeader(text: string): string {
	return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 9_000);
}
/** What Node lets through as a target: the rest is for `raws`. */
export function toTarget(text: string): string {
	return text.replace(/[^\x21-\x7e]/g, (one) => encodeURIComponent(toWellFormed(one)));
}
export function toWellFormed(text: string): string {
	return text.replace(/[\ud800-\udfff]/g, '\ufffd');
}
/** As a part of a query or a form. */
export const toQuery = (text: string): string => encodeURIComponent(toWellFormed(text));
