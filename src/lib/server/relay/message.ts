/**
 * What is written to the relay: what one drain did, as text. Where others continue is decided by the cursors in it
 * (docs/decisions/0027), never by who wrote it or by its place in the relay.
 */
import type { Tick } from '../../protocol';
import { parseCursor, toId } from '../reader/cursor';
import type { Delta } from '../reader/drain';
import type { Row } from '../reader/row';

/** Of the text below; other formats have other keys. When `Row` or `Tick` changes, message.test.ts does not compile: raise it. */
export const FORMAT = 1;

export type Ticked = { tick: Tick; previous: Tick | null };
/** `by`: which process wrote it; `ends`: it reads no longer. */
export type Message = { by: string; delta: Delta; ticked?: Ticked; ends?: boolean };

/** Times that JSON cannot hold are written as text. */
const TIMES: Readonly<Record<string, number>> = { '+': Infinity, '-': -Infinity };
const toTime = (at: number) => (Number.isFinite(at) ? at : at > 0 ? '+' : '-');

/** A cursor that has too many holes is written as one that `decodeMessage` refuses. */
export function encodeMessage({ by, delta, ticked, ends }: Message): string {
	const rows = delta.rows?.map((row) => ({
		...row,
		tx: row.tx.toString(),
		id: row.id.toString(),
		createdAt: toTime(row.createdAt),
	}));
	const { from, to, at } = delta;
	return JSON.stringify({
		...{ by, from: toId(from), to: toId(to), at, rows: rows ?? null },
		...(ticked && { ticked }),
		...(ends && { ends }),
	});
}

type Written = Omit<Row, 'tx' | 'id' | 'createdAt'> & {
	tx: string;
	id: string;
	createdAt: number | string;
};

/** @returns null for what is no message: cut short, of another program, or with a cursor that had too many holes to be written */
export function decodeMessage(text: string): Message | null {
	try {
		const found = JSON.parse(text) as {
			[Key in 'by' | 'from' | 'to']: string;
		} & { at: number; rows: Written[] | null } & Pick<Message, 'ticked' | 'ends'>;
		const [from, to] = [parseCursor(found.from), parseCursor(found.to)];
		if (!from.ok || !to.ok || !Number.isFinite(found.at)) return null;
		const rows = found.rows?.map((row): Row => ({
			...row,
			tx: BigInt(row.tx),
			id: BigInt(row.id),
			createdAt: TIMES[row.createdAt] ?? Number(row.createdAt),
		}));
		const delta = { from: from.cursor, to: to.cursor, at: found.at, rows: rows ?? null };
		const { by, ticked, ends } = found;
		return { by, delta, ...(ticked && { ticked }), ...(ends && { ends }) };
	} catch {
		return null;
	}
}
