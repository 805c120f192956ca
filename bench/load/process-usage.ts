/** What a process uses, from /proc: CPU time and memory as the kernel counts them. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second, as Linux shows them to programs on every common architecture. */
const TICKS_PER_S = 100;

/** User and system time since its start, ms. */
export function cpuMs(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
	// the name in brackets may hold blanks
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_S;
}

/** Resident memory, bytes. */
export function rssBytes(pid: number): number {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1_024;
}

/** The same of a process and all that it started, those that have ended included, ms. */
export function familyCpuMs(pid: number): number {
	let ticks = 0;
	for (const { fields } of familyOf(pid))
		// its own time, and that of the children it has waited for
		ticks += [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
	return (ticks * 1_000) / TICKS_PER_S;
}

function familyOf(pid: number): { pid: number; fields: string[] }[] {
	const all = readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.flatMap((name) => {
			try {
				const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
				return [{ pid: Number(name), fields: stat.slice(stat.lastIndexOf(')') + 2).split(' ') }];
			} catch {
				// it ended meanwhile
				return [];
			}
		});
	const family = all.filter((one) => one.pid === pid);
	for (const one of family) {
		family.push(...all.filter(({ fields }) => Number(fields[1]) === one.pid));
	}
	return family;
}
