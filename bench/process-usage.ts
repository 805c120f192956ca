/** What a process uses, from /proc: CPU time and memory as the kernel counts them. Linux only. */
import { readFileSync } from 'node:fs';

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
