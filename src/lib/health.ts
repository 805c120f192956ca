/** What one process says of itself: the answer of `GET /api/dashboard/health`, and its parts. */
import type { Ping } from './protocol';

export const HEALTH_STATES = ['starting', 'fine', 'degraded', 'broken'] as const;
/** `degraded`: everything works, some of it later than usual. */
export type HealthState = (typeof HEALTH_STATES)[number];

/** A minute of one process; figures are of that minute. */
export type Minute = {
	/** its beginning, by the clock of the process */
	at: string;
	/** the worst that was seen */
	state: HealthState;
	/** from the insert of the newest event of a frame to its place in the stream; null: there was no frame */
	p50Ms: number | null;
	p99Ms: number | null;
	/** open streams at most */
	clients: number;
	/** published, from any instance */
	events: number;
	/** requests with events that were refused */
	rejected: number;
	/** how late the process was at most for something it had planned */
	lateMs: number;
};

/** A part beside the stream. `words`: sentences for people; `figure`: one number, or empty. */
export type HealthPart = { name: string; state: HealthState; words: string; figure: string };

/** Requests with events that were not recorded, for one reason. `meaning`: to be read after the number. */
export type Refused = { reason: string; count: number; meaning: string };

export const ROBOT_CLASSES = ['search', 'ai', 'monitoring', 'other'] as const;
export type RobotClass = (typeof ROBOT_CLASSES)[number];
/** Requests of one robot in the last hour; none of them is in a figure. */
export type Robot = { name: string; kind: RobotClass; count: number; lastAt: string };

/** What one process says of itself, from its own memory. */
export type Health = Ping & {
	state: HealthState;
	/** what /readyz misses */
	missing: string[];
	version: string;
	startedAt: string;
	/** since the last read that succeeded, and how long it took; null: there was none */
	readAgoMs: number | null;
	readMs: number | null;
	/** since a tick was last recorded by anybody */
	tickAgoMs: number | null;
	clients: number;
	/** what is kept for those who come back */
	ring: { frames: number; bytes: number; maxFrames: number; maxBytes: number };
	/** received and not yet saved */
	heldEvents: number;
	memoryBytes: number;
	more: HealthPart[];
	/** since `startedAt`; only reasons that there were */
	refused: Refused[];
	/** of the last hour, most requests first */
	robots: Robot[];
	/** oldest first, at most 60; the last one runs */
	minutes: Minute[];
};
