/** What can be seen from where people are: TLS, HTTP/2, and whether the server behind it can serve. */
import type { DatabaseTrouble } from '../../src/lib/protocol';
import { readText, type Client } from './client';
import { readClock, type Clock } from './clocks';
import { unseen, well, wrong, type Finding } from './finding';
import { TROUBLES } from '../../src/lib/database-troubles';

/** Days left of a certificate: enough to renew it by hand. */
const ENDS_SOON_MS = 14 * 24 * 60 * 60_000;

type Ready = { missing: string[]; reading: DatabaseTrouble | null; fix?: string; clock?: string };

export function examineCertificate({ certificate, origin }: Client): Finding {
	if (!certificate)
		return /^http:\/\/(localhost|127\.|\[::1\])/.test(origin)
			? unseen('certificate', 'none on http; on loopback no one can read along')
			: wrong(
					'certificate',
					'http: anyone on the way can read along, and there is no HTTP/2',
					'Put TLS in front (docs/deploy/vm.md), and ask for https://….',
				);
	const days = Math.floor((certificate.endsAt - Date.now()) / (24 * 60 * 60_000));
	if (certificate.fault)
		return wrong(
			'certificate',
			`browsers do not take it: ${certificate.fault}`,
			'Let the proxy get one that they take (Let’s Encrypt). For one of your own authority, name that in NODE_EXTRA_CA_CERTS.',
		);
	if (certificate.endsAt - Date.now() < ENDS_SOON_MS)
		return wrong(
			'certificate',
			`it ends in ${days} days`,
			'Renew it, and look why nothing did by itself.',
		);
	return well('certificate', `good for ${days} days`);
}

export function examineProtocol({ protocol, certificate }: Client): Finding {
	if (!certificate) return unseen('HTTP/2', 'browsers have it with TLS only');
	if (protocol === 'HTTP/2') return well('HTTP/2', 'all tabs of a browser share a connection');
	return wrong(
		'HTTP/2',
		'HTTP/1.1 only: six tabs take every connection that a browser allows',
		'Switch it on in the proxy: "listen 443 ssl http2" in nginx; Caddy has it by itself.',
	);
}

/** `isOurs`: a Nowboard has answered. `clock`: the server's. */
export type Readiness = { finding: Finding; isOurs: boolean; clock: Clock | null };

export async function examineReadiness(client: Client): Promise<Readiness> {
	const answer = await client.ask('/readyz');
	const ready = toReady(await readText(answer));
	if (!ready) {
		const says = `${client.address}/readyz answers ${answer.status}, and that is no answer of a Nowboard`;
		const mend =
			'Look where the proxy leads, and whether the server behind it runs: its log says why it has ended.';
		return { finding: wrong('readiness', says, mend), isOurs: false, clock: null };
	}
	return { finding: judge(ready), isOurs: true, clock: await readServerClock(client) };
}

function toReady(text: string): Ready | null {
	try {
		const ready = JSON.parse(text) as Ready;
		return Array.isArray(ready.missing) ? ready : null;
	} catch {
		return null;
	}
}

function judge({ missing, reading, fix }: Ready): Finding {
	if (missing.length === 0) return well('readiness', 'it can serve');
	const says = `not ready: ${missing.join(', ')}`;
	if (!reading) return wrong('readiness', says, 'Wait, and look into the server’s log.');
	const trouble = TROUBLES[reading];
	return wrong(
		'readiness',
		`${says}; the server says of its database: ${trouble.says}`,
		(fix ?? trouble.fix) || 'Wait, and look into the server’s log.',
	);
}

async function readServerClock(client: Client): Promise<Clock | null> {
	const ask = async () =>
		Date.parse(toReady(await readText(await client.ask('/readyz')))?.clock ?? '');
	const clock = await readClock(ask).catch(() => null);
	return clock && Number.isFinite(clock.aheadMs) ? clock : null;
}
