/** How long a process rests after a frame, before it reads again (docs/decisions/0008). Pure. */
import { REST_PER_EVENT_MS } from '../reader/drain-loop';

/** Of intervals: how long an event waits for its frame at most, where work allows it. */
const LONGEST_WAIT = 1.1;
/** Of the rest that would be without any work. */
const LEAST_REST = 0.4;
/** A broadcast that took longer was not busy: the machine slept in the middle of it. */
export const MAX_REST_MS = 1_000;

/**
 * @param events in the frame
 * @param drainMs how long the drain took, its broadcast included
 * @param busyMs how long that broadcast kept the process busy
 * @param intervalMs between frames while much happens; 0: what was read has rested elsewhere
 */
export function toRestMs(
	events: number,
	drainMs: number,
	busyMs: number,
	intervalMs: number,
): number {
	const rest = Math.min(intervalMs, REST_PER_EVENT_MS * events);
	// an event that just missed a drain waits for the rest, and for what the two drains around it do before their frames
	const workMs = Math.max(0, drainMs - busyMs);
	const left = LONGEST_WAIT * intervalMs - 2 * workMs;
	// a broadcast may take half of the time, not more
	return Math.max(Math.min(rest, left), LEAST_REST * rest, Math.min(2 * busyMs, MAX_REST_MS));
}
