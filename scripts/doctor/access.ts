/**
 * Checks access from outside: which pages may act, who can view and send, and whether a full batch passes.
 */
import { INGEST_LIMITS } from '../../src/lib/ingest-limits';
import { readText, type Client } from './client';
import { unseen, well, wrong, type Finding } from './finding';

const ELSEWHERE = 'https://elsewhere.example';
/** A POST that changes nothing without a cookie, and is for pages of the own origin only. */
const OWN_PAGES_ONLY = '/logout';
const JSON_BODY = { 'content-type': 'application/json' };

type Env = Record<string, string | undefined>;

export async function examineOrigin(client: Client): Promise<Finding> {
	const post = async (origin: string) => {
		const answer = await client.ask(OWN_PAGES_ONLY, {
			method: 'POST',
			headers: { origin, accept: 'application/json' },
		});
		return { status: answer.status, text: await readText(answer) };
	};
	const own = await post(client.origin);
	if (own.status === 403) {
		const [, seen, only] = /The Origin (\S+) may not .* only (\S+) may/.exec(own.text) ?? [];
		if (seen === '(none)')
			return wrong(
				'origin',
				'the header Origin does not arrive: no one can log in',
				'Let the proxy pass Origin on: it sets or empties that header.',
			);
		if (only)
			return wrong(
				'origin',
				`the server expects ${only}, and people use ${client.address}: no one can log in`,
				`Set ORIGIN=${client.address} where the server runs.`,
			);
		return wrong(
			'origin',
			`a page of its own may not POST: ${own.text.slice(0, 200)}`,
			'Look whether the proxy refuses POST.',
		);
	}
	if ((await post(ELSEWHERE)).status !== 403)
		return wrong(
			'origin',
			'a page of another site may act for logged-in viewers',
			'Let the proxy pass Origin on unchanged.',
		);
	return well('origin', `${client.address}, and no other site may act for people`);
}

/** Open is wrong unless the environment here says that it is meant. */
export async function examineAccess(
	client: Client,
	env: Env,
): Promise<{ findings: Finding[]; everyoneLooks: boolean }> {
	const look = await client.ask('/api/dashboard/status');
	const send = await client.ask('/api/events', { method: 'POST', headers: JSON_BODY, body: '{}' });
	const findings = [
		toFinding('who may look', look.status, {
			open: [200],
			isMeant: isTrue(env.DASHBOARD_PUBLIC),
			whenClosed: 'those who give the password, or hold a share link',
			whenOpen: 'everyone who reaches the server may look',
			mend: 'Set DASHBOARD_PASSWORD, and not DASHBOARD_PUBLIC. If it is meant, say so here too: DASHBOARD_PUBLIC=true.',
		}),
		toFinding('who may send', send.status, {
			// what was sent is no event
			open: [400],
			isMeant: isTrue(env.INGEST_OPEN),
			whenClosed: 'those who have a key',
			whenOpen: 'everyone who reaches the server may send events',
			mend: 'Make keys (npm run keys), and do not set INGEST_OPEN. If it is meant, say so here too: INGEST_OPEN=true.',
		}),
	];
	return { findings, everyoneLooks: look.status === 200 };
}

type Expectation = {
	open: number[];
	isMeant: boolean;
	whenClosed: string;
	whenOpen: string;
	mend: string;
};

function toFinding(check: string, status: number, expected: Expectation): Finding {
	const { open, isMeant, whenClosed, whenOpen, mend } = expected;
	if (status === 401 || status === 403) return well(check, whenClosed);
	if (!open.includes(status)) return unseen(check, `the answer is ${status}`);
	if (isMeant) return well(check, `${whenOpen}, as the environment here says`);
	return wrong(check, whenOpen, mend);
}

const isTrue = (value: string | undefined) => value === 'true' || value === '1';

/** A full batch must pass the proxy; the server refuses it for what it is, a key or its content. */
export async function examineUploads(client: Client): Promise<Finding> {
	const body = ' '.repeat(INGEST_LIMITS.bodyBytes - 2) + '{}';
	const answer = await client.ask('/api/events', {
		method: 'POST',
		headers: JSON_BODY,
		body,
	});
	if (answer.status !== 413) return well('uploads', 'a batch of 512 KiB passes');
	return wrong(
		'uploads',
		'a batch of events of 512 KiB is refused on the way (413)',
		'Raise the proxy’s limit: "client_max_body_size 1m" in nginx.',
	);
}
