/** Logs in with the password of the environment, if there is one, and logs out afterwards. */
import type { Client } from './client';
import { unseen, well, wrong, type Finding } from './finding';

export type Pass = { finding: Finding; cookie: string | null; leave: () => Promise<void> };

/** as a page sends it that has no JavaScript: the answer is a redirect, not JSON */
const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
const withoutCookie = (finding: Finding): Pass => ({
	finding,
	cookie: null,
	leave: async () => {},
});

/** @param isOpen anyone can view without a login */
export async function logIn(
	client: Client,
	password: string | undefined,
	isOpen: boolean,
): Promise<Pass> {
	if (!password)
		return withoutCookie(
			unseen('login', isOpen ? 'not needed' : 'DASHBOARD_PASSWORD is not set here'),
		);
	if (client.certificate?.fault)
		return withoutCookie(
			unseen('login', 'a password is not given to whom the certificate does not vouch for'),
		);
	const ask = (path: string, headers: Record<string, string>, body = '') =>
		client.ask(path, { method: 'POST', headers: { origin: client.origin, ...headers }, body });
	const body = new URLSearchParams({ password }).toString();
	const answer = await ask('/login', FORM, body);
	answer.body.resume();
	const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0];
	if (answer.status === 303 && cookie)
		return {
			finding: well('login', 'the password of the environment here opens'),
			cookie,
			leave: async () => void (await ask('/logout', { cookie })).body.resume(),
		};
	if (answer.status === 401)
		return withoutCookie(
			wrong(
				'login',
				'the password of the environment here does not open (or there were too many attempts in the last five minutes)',
				'Look which DASHBOARD_PASSWORD the server was started with; behind a proxy set ADDRESS_HEADER, or all people share five attempts.',
			),
		);
	const mend =
		answer.status === 404
			? 'Set DASHBOARD_PASSWORD where the server runs.'
			: 'Mend what is wrong above first, and look into the server’s log.';
	return withoutCookie(wrong('login', `the server answers ${answer.status} to a login`, mend));
}
