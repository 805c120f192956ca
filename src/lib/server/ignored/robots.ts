/**
 * Which robots sent something in the last hour, in the memory of this process. They are never in the figures. Bounded: names
 * can be made up, and those beyond the bound are counted together.
 */
import type { Robot } from '../../health';
import { ownText } from '../copy-string';
import { toRobot } from './robot-kinds';

export type Robots = {
	saw(userAgent: string | null): void;
	/** of the last hour, most requests first */
	list(): Robot[];
};

const MINUTE_MS = 60_000;
const MINUTES = 60;
export const MAX_ROBOTS = 100;
export const OTHERS = 'Others';
/** Longer ones are not looked through. */
const MAX_LENGTH = 512;

type Seen = Omit<Robot, 'count' | 'lastAt'> & { minutes: Map<number, number>; lastAt: number };

/** Counts robots by name for an hour, at most MAX_ROBOTS of them. */
export function createRobots(now: () => number = Date.now): Robots {
	const seen = new Map<string, Seen>();

	function forget() {
		const first = Math.floor(now() / MINUTE_MS) - MINUTES;
		for (const [name, { minutes }] of seen) {
			for (const minute of minutes.keys()) if (minute <= first) minutes.delete(minute);
			if (minutes.size === 0) seen.delete(name);
		}
	}

	return {
		saw(userAgent) {
			let robot = toRobot((userAgent ?? '').slice(0, MAX_LENGTH));
			if (!seen.has(robot.name)) {
				forget();
				if (seen.size >= MAX_ROBOTS) robot = { name: OTHERS, kind: 'other' };
			}
			const name = ownText(robot.name);
			const one = seen.get(name) ?? {
				...robot,
				name,
				minutes: new Map<number, number>(),
				lastAt: 0,
			};
			const minute = Math.floor(now() / MINUTE_MS);
			one.minutes.set(minute, (one.minutes.get(minute) ?? 0) + 1);
			if (one.minutes.size > MINUTES + 1) forget();
			one.lastAt = now();
			seen.set(name, one);
		},
		list() {
			forget();
			return [...seen.values()]
				.map(({ name, kind, minutes, lastAt }) => ({
					name,
					kind,
					count: [...minutes.values()].reduce((sum, count) => sum + count, 0),
					lastAt: new Date(lastAt).toISOString(),
				}))
				.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
		},
	};
}
