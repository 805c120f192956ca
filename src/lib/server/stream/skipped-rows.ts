/** Rows that no page can show: counted, named on the status page, and logged as long as they are few. No query. */
import type { Logger } from 'pino';
import { DEFAULT_LOOK, toCount } from '../../format';
import type { HealthPart } from '../../health';
import type { Row } from '../reader/row';

export type SkippedRows = {
	/** Notes a row that has a fault, once for each id as far as it is still remembered. */
	note(row: Pick<Row, 'id' | 'fault'>): void;
	count(): number;
	/** For the status page; null: none was skipped. */
	part(): HealthPart | null;
};

/** Ids remembered, so that a row which is read again is not counted again. */
const MAX_REMEMBERED = 1_000;
/** Named on the page. */
const MAX_NAMED = 5;
/** Logged one by one; further ones are only counted. */
const MAX_LOGGED = 20;

/** Remembers the newest; counts all, each once while it is remembered. */
export function createSkippedRows(log: Pick<Logger, 'warn'>): SkippedRows {
	const reasons = new Map<bigint, string>();
	let count = 0;

	return {
		note({ id, fault }) {
			if (fault === null || reasons.has(id)) return;
			reasons.set(id, fault);
			if (reasons.size > MAX_REMEMBERED) reasons.delete(reasons.keys().next().value as bigint);
			if (++count <= MAX_LOGGED)
				log.warn(
					{ id: String(id), reason: fault },
					'an event cannot be shown, and is only counted',
				);
		},
		count: () => count,
		part() {
			if (count === 0) return null;
			const newest = [...reasons].slice(-MAX_NAMED).reverse();
			const named = newest.map(([id, reason]) => `id ${id} (${reason})`).join('; ');
			const words = `These events cannot be shown. They are only counted: ${named}.`;
			return { name: 'Skipped', state: 'fine', words, figure: toCount(count, DEFAULT_LOOK) };
		},
	};
}
