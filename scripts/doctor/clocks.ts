/** How far clocks are apart: asked several times, the quickest answer decides, and half its time is what may be wrong. Pure but for the asking. */
import { unseen, well, wrong, type Finding } from './finding';

/** Of another clock against ours, ms. */
export type Clock = { aheadMs: number; errorMs: number };

const TIMES = 5;
/** The length of a tick: less is nothing that anybody sees. */
const TOLERANCE_MS = 2_000;

/** @param ask the other clock's time now, in ms since 1970 */
export async function readClock(
	ask: () => Promise<number>,
	local: () => number = Date.now,
): Promise<Clock> {
	const samples: Clock[] = [];
	for (let i = 0; i < TIMES; i++) {
		const before = local();
		const at = await ask();
		const after = local();
		samples.push({ aheadMs: at - (before + after) / 2, errorMs: (after - before) / 2 });
	}
	return samples.reduce((best, one) => (one.errorMs < best.errorMs ? one : best));
}

type Clocks = { database: Clock | null; server: Clock | null };

/** Two that agree are believed against a third; here is where the doctor runs. */
export function compareClocks({ database, server }: Clocks): Finding {
	const all: [string, Clock | null][] = [
		['the database’s clock', database],
		['the server’s clock', server],
		['the clock here', { aheadMs: 0, errorMs: 0 }],
	];
	const known = all.flatMap(([name, clock]) => (clock ? [{ name, ...clock }] : []));
	if (known.length < 2) return unseen('clocks', 'there is no other one to compare with');
	const apart = known.flatMap((one, i) =>
		known
			.slice(i + 1)
			.map((two) => (one.aheadMs > two.aheadMs ? { one, two } : { one: two, two: one }))
			.filter(
				({ one, two }) => one.aheadMs - two.aheadMs > TOLERANCE_MS + one.errorMs + two.errorMs,
			),
	);
	if (apart.length === 0) {
		const names = known.map(({ name }) => name).join(', ');
		return well('clocks', `within ${TOLERANCE_MS / 1000} s of each other: ${names}`);
	}
	const said = apart.map(({ one, two }) => {
		const seconds = ((one.aheadMs - two.aheadMs) / 1000).toFixed(1);
		return `${one.name} is ${seconds} s ahead of ${two.name}`;
	});
	const odd =
		apart.length === 2 && known.find((clock) => apart.every((pair) => isIn(pair, clock.name)));
	return wrong(
		'clocks',
		said.join('; '),
		`Set ${odd ? odd.name : 'whichever is wrong'} right: NTP, for instance "timedatectl set-ntp true".`,
	);
}

type Named = Clock & { name: string };
const isIn = ({ one, two }: { one: Named; two: Named }, name: string) =>
	one.name === name || two.name === name;
