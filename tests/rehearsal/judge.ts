/** The table's word on what the viewers were told. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../../src/lib/server/db/connect';
import { createOracle, type Rows } from '../faults/oracle';
import { must } from './steps';
import type { Viewer, Writer } from './viewers';

const CATCH_UP_MS = 30_000;

/** Waits until all have seen the newest row. Throws what is amiss; @returns how it went, in words */
export async function judge(sql: Sql, viewers: readonly Viewer[], writer: Writer): Promise<string> {
	const rows = await readRows(sql);
	const newest = Math.max(...rows.ids);
	const deadline = Date.now() + CATCH_UP_MS;
	while (viewers.some(({ account }) => !account.has(newest)) && Date.now() < deadline)
		await pause(50);
	const oracle = createOracle(rows);
	const verdicts = viewers.map(({ account }) => oracle.judge(account, null));
	const sum = (field: 'delivered' | 'lost' | 'twice' | 'ghosts') =>
		verdicts.reduce((all, verdict) => all + verdict[field], 0);
	const [lost, twice, ghosts] = [sum('lost'), sum('twice'), sum('ghosts')];
	must(lost + twice + ghosts === 0, `${lost} events lost, ${twice} twice, ${ghosts} of none`);
	const unpromised = verdicts.flatMap((verdict) => verdict.unpromised);
	must(unpromised.length === 0, unpromised.slice(0, 3).join('; '));
	const cuts = viewers.reduce((all, viewer) => all + viewer.cuts(), 0);
	must(cuts === 0, `${cuts} streams were cut off without a farewell`);
	const farewells = viewers.reduce((all, viewer) => all + viewer.farewells(), 0);
	must(farewells >= viewers.length, `only ${farewells} streams were said farewell to`);
	const strange = [...viewers, writer].flatMap(({ answers }, i) =>
		[...answers.keys()].filter((status) => status !== (i < viewers.length ? 200 : 202)),
	);
	must(strange.length === 0, `failed answers: ${[...new Set(strange)].join(', ')}`);
	return `${rows.ids.length} events, ${sum('delivered')} deliveries to ${viewers.length} pages: 0 lost, 0 twice; ${farewells} farewells, 0 cuts; every answer 200 or 202`;
}

async function readRows(sql: Sql): Promise<Rows> {
	const rows = await sql<{ tx: string; id: string }[]>`
		select tx::text, id::text from nowboard.events order by tx, id`;
	return {
		txs: BigUint64Array.from(rows, ({ tx }) => BigInt(tx)),
		ids: Float64Array.from(rows, ({ id }) => Number(id)),
		marks: new Uint8Array(rows.length),
	};
}

export async function countRows(sql: Sql): Promise<number> {
	const [row] = await sql`select count(*)::int as n from nowboard.events`;
	return row?.n as number;
}
