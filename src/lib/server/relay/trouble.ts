/** What an error of Redis or Valkey means: by name, and in words for the log, the status page and the doctor. */
import { DeadlineError } from '../db/deadline';

export const RELAY_TROUBLES = {
	unreachable: 'it cannot be reached: check RELAY_URL, and that Redis runs there',
	slow: 'it takes too long to answer',
	denied:
		'it refuses the login, or the commands XADD, XREAD and XREVRANGE: check user and password in RELAY_URL',
	tls: 'the encrypted connection fails: check rediss:// and the certificate (NODE_EXTRA_CA_CERTS)',
	starting: 'it is starting, or busy',
	full: 'its memory is full: raise maxmemory',
	readonly: 'it takes no writes: RELAY_URL must name the primary',
	cluster: 'it is a node of a cluster, which is not supported',
	other: 'it reports an error: the log has it',
} as const;
export type RelayTrouble = keyof typeof RELAY_TROUBLES;

const BY_WORDS: [pattern: RegExp, trouble: RelayTrouble][] = [
	[/^(WRONGPASS|NOAUTH|NOPERM)|without any password|AUTH /, 'denied'],
	[/^OOM/, 'full'],
	[/^(MISCONF|READONLY|NOREPLICAS)/, 'readonly'],
	[/^(MOVED|ASK|CLUSTERDOWN|CROSSSLOT)/, 'cluster'],
	[/^(LOADING|BUSY|MASTERDOWN)/, 'starting'],
	[/^(WRONGTYPE|ERR)/, 'other'],
	[/certificate|self-signed|SSL|TLS|EPROTO|wrong version number/i, 'tls'],
];

/** @param error of a command or of a connection */
export function toRelayTrouble(error: unknown): RelayTrouble {
	if (error instanceof DeadlineError) return 'slow';
	const words = error instanceof Error ? error.message : String(error);
	const code = (error as { code?: unknown } | null)?.code;
	const found = BY_WORDS.find(([pattern]) => pattern.test(words) || pattern.test(String(code)));
	return found?.[1] ?? 'unreachable';
}
