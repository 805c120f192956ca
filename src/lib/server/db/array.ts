/** A Postgres array literal: clients of ours do not ask the server for its array types. */
export function toArray(values: readonly (string | bigint)[]): string {
	return `{${values.map((value) => `"${String(value).replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
