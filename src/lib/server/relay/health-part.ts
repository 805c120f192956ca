/** The relay on the status page. Pure. */
import type { HealthPart } from '../../health';
import type { RelayMode, RelayStatus } from './relay';
import { RELAY_TROUBLES } from './trouble';

const WORDS: Readonly<Record<RelayMode, string>> = {
	reader: 'This instance reads from Postgres for all.',
	follower: 'Events come from the instance that reads Postgres.',
	alone: 'This instance reads from Postgres for itself.',
	waiting: 'This edge waits for events.',
};

/** @param status null: no relay is configured */
export function toRelayPart(status: RelayStatus | null): HealthPart | null {
	if (!status) return null;
	const { mode, role, up, trouble, lagMs, appended, dropped, taken, gaps, foreign } = status;
	const words = [
		WORDS[mode],
		trouble ? `Redis: ${RELAY_TROUBLES[trouble]}.` : up ? '' : 'Redis has not answered yet.',
		role === 'edge' ? 'Role: edge.' : '',
		`Batches: ${taken} from the relay, ${gaps} read from Postgres instead, ${foreign} of another history; ${appended} sent, ${dropped} lost.`,
	];
	const isFine = (mode === 'reader' || mode === 'follower') && trouble === null;
	return {
		name: 'Relay',
		state: isFine ? 'fine' : mode === 'waiting' ? 'broken' : 'degraded',
		words: words.filter((one) => one !== '').join(' '),
		figure: mode === 'follower' && lagMs !== null ? `${Math.round(lagMs)} ms` : mode,
	};
}
