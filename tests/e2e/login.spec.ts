import type { Page } from '@playwright/test';
import { openHydrated } from './board';
import { expect, test } from './server';

const PASSWORD = 'correct horse battery';
const STREAM = '/api/dashboard/stream';

test.use({ env: { DASHBOARD_PUBLIC: 'false', DASHBOARD_PASSWORD: PASSWORD } });

/** as the form of the login sends it */
const logIn = (url: string, password: string, headers: Record<string, string> = { origin: url }) =>
	fetch(`${url}/login`, {
		method: 'POST',
		redirect: 'manual',
		headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
		body: new URLSearchParams({ password }),
	});
const toCookie = (response: Response) => response.headers.get('set-cookie')?.split(';')[0] ?? '';
const look = (url: string, path: string, cookie: string) =>
	fetch(`${url}${path}`, { redirect: 'manual', headers: { cookie } });

async function enter(page: Page, url: string): Promise<void> {
	await openHydrated(page, url);
	await page.getByLabel('Password of this dashboard').fill(PASSWORD);
	await page.getByRole('button', { name: 'Log in' }).click();
}

test('a page asks for the password and goes where one was going; a wrong one is told, without a word of why', async ({
	page,
	server,
}) => {
	await openHydrated(page, `${server.url}/?source=sql`);
	await expect(page).toHaveURL(`${server.url}/login?to=%2F%3Fsource%3Dsql`);
	const field = page.getByLabel('Password of this dashboard');
	await expect(field).toBeFocused();
	await field.fill('wrong');
	await page.getByRole('button', { name: 'Log in' }).click();
	await expect(page.getByRole('alert')).toContainText('Wrong password.');
	await field.fill(PASSWORD);
	await page.getByRole('button', { name: 'Log in' }).click();
	await expect(page).toHaveURL(`${server.url}/?source=sql`);
	await expect(page.getByRole('status').getByText('Live', { exact: true })).toBeVisible();
	const [cookie] = await page.context().cookies();
	expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' });
});

test('logging out everywhere ends open pages within seconds: they ask for the password', async ({
	page,
	browser,
	server,
}) => {
	const elsewhere = await browser.newContext();
	const pages = [page, await elsewhere.newPage()];
	for (const one of pages) {
		await enter(one, server.url);
		await expect(one.getByRole('status').getByText('Live', { exact: true })).toBeVisible();
	}
	await pages[1]!.getByTitle('Account').click();
	await pages[1]!.getByRole('menuitem', { name: 'Log out everywhere' }).click();
	await expect(pages[1]!).toHaveURL(`${server.url}/login`);
	await expect(page).toHaveURL(`${server.url}/login?to=%2F`, { timeout: 15_000 });
	await elsewhere.close();
});

test('a stream ends when its session does, with a clean end of a 200', async ({ server }) => {
	const cookie = toCookie(await logIn(server.url, PASSWORD));
	const stream = await look(server.url, STREAM, cookie);
	expect(stream.status).toBe(200);
	const whole = stream.text();
	await server.sql`delete from nowboard.sessions`;
	const started = Date.now();
	expect(await whole).toMatch(/event: bye\ndata: \{"retryMs":\d+\}\n\n$/);
	expect(Date.now() - started).toBeLessThan(50_000);
	expect((await look(server.url, STREAM, cookie)).status).toBe(401);
});

test('what is refused, and how', async ({ server }) => {
	const { url } = server;
	const cookie = toCookie(await logIn(url, PASSWORD));
	const [name, token] = cookie.split('=') as [string, string];
	const attempts: [what: string, answer: Promise<Response>, status: number][] = [
		['no cookie: the stream', look(url, STREAM, ''), 401],
		['no cookie: the status', look(url, '/api/dashboard/status', ''), 401],
		[
			'no cookie: the page',
			fetch(url, { headers: { accept: 'text/html' }, redirect: 'manual' }),
			303,
		],
		['another token', look(url, STREAM, `${name}=${token.slice(1)}x`), 401],
		['an empty token', look(url, STREAM, `${name}=`), 401],
		['a token of 9,000 bytes', look(url, STREAM, `${name}=${'x'.repeat(9_000)}`), 401],
		['SQL as a token', look(url, STREAM, `${name}=' or 1=1 --`), 401],
		['a token in the query', look(url, `${STREAM}?token=${token}`, ''), 401],
		['a path with a slash before it', look(url, `//api/dashboard/stream`, ''), 404],
		['a path in capitals', look(url, '/API/dashboard/stream', ''), 404],
		['an encoded path', look(url, '/api/%64ashboard/stream', ''), 401],
		['HEAD', fetch(`${url}${STREAM}`, { method: 'HEAD' }), 401],
		['a login from another site', logIn(url, PASSWORD, { origin: 'https://evil.example' }), 403],
		['a login without an origin', logIn(url, PASSWORD, {}), 403],
		['a login from a sandbox', logIn(url, PASSWORD, { origin: 'null' }), 403],
		[
			'a log-out from another site',
			fetch(`${url}/logout`, {
				method: 'POST',
				headers: { cookie, origin: 'https://evil.example' },
			}),
			403,
		],
		[
			'a header that names another path',
			fetch(`${url}${STREAM}`, {
				headers: { 'x-original-url': '/healthz', 'x-rewrite-url': '/healthz' },
			}),
			401,
		],
		[
			'another host',
			fetch(`${url}${STREAM}`, { headers: { 'x-forwarded-host': 'evil.example' } }),
			401,
		],
	];
	const answers = await Promise.all(
		attempts.map(async ([what, answer]) => {
			const { status, body } = await answer;
			await body?.cancel();
			return [what, status];
		}),
	);
	expect(answers).toEqual(attempts.map(([what, , status]) => [what, status]));
	// and what needs no login
	for (const path of ['/healthz', '/readyz', '/t.js'])
		expect((await look(url, path, '')).status).toBe(200);
});

test('after five wrong words an address waits, with the right one too', async ({ server }) => {
	const kind = async (password: string) => {
		const response = await logIn(server.url, password);
		return [response.status, toCookie(response) !== '', (await response.text()).length > 0];
	};
	const first = await kind('wrong');
	for (let i = 0; i < 4; i++) expect(await kind('wrong')).toEqual(first);
	expect(await kind(PASSWORD)).toEqual(first);
	await expect
		.poll(() => server.sql`select subject from nowboard.audit where action = 'logins refused'`)
		.toEqual([{ subject: 'too many wrong passwords of one address' }]);
});

test('a share link shows the kiosk to a browser without the password, settings to no one with it, and ends when it is revoked', async ({
	page,
	browser,
	server,
}) => {
	await enter(page, `${server.url}/settings`);
	await page.getByLabel('Link name').fill('the wall');
	await page.getByRole('button', { name: 'Create link' }).click();
	const link = await page.getByRole('status').locator('code').textContent();
	const wall = await (await browser.newContext()).newPage();
	await wall.goto(`${link}?to=/kiosk`);
	await expect(wall).toHaveURL(`${server.url}/kiosk`);
	await expect(wall.getByRole('status').getByText('Live', { exact: true })).toBeVisible();
	await expect(wall.locator('html')).toHaveClass(/dark/);
	await server.sql`insert into nowboard.events (name) values ('seen on the wall')`;
	await expect(wall.getByText('seen on the wall').first()).toBeVisible();
	expect((await wall.goto(`${server.url}/settings`))?.status()).toBe(403);
	await wall.goto(`${server.url}/kiosk`);
	await expect(wall.getByRole('status').getByText('Live', { exact: true })).toBeVisible();

	await page.reload();
	await page.getByRole('button', { name: 'Revoke the wall' }).click();
	await expect(page.getByText(/^revoked /)).toBeVisible();
	await expect(wall).toHaveURL(`${server.url}/login?to=%2Fkiosk`, { timeout: 15_000 });
	expect((await fetch(link ?? '', { redirect: 'manual' })).status).toBe(404);
	await wall.context().close();
});

test('a token opens the stream for who cannot send a cookie, nothing else, and ends with its session', async ({
	server,
}) => {
	const { url } = server;
	const cookie = toCookie(await logIn(url, PASSWORD));
	const ask = (headers: Record<string, string>) =>
		fetch(`${url}/api/tokens`, { method: 'POST', headers });
	expect((await ask({ cookie, origin: 'https://evil.example' })).status).toBe(403);
	expect((await ask({ origin: url })).status).toBe(401);
	const { token } = (await (await ask({ cookie, origin: url })).json()) as { token: string };
	const stream = await look(url, `${STREAM}?token=${token}`, '');
	expect(stream.status).toBe(200);
	const whole = stream.text();
	for (const path of ['/kiosk', '/settings', '/api/demo'])
		expect((await look(url, `${path}?token=${token}`, '')).status).toBe(401);
	expect((await look(url, `${STREAM}?token=${token.slice(0, -1)}`, cookie)).status).toBe(401);
	await server.sql`delete from nowboard.sessions`;
	expect(await whole).toMatch(/event: bye/);
	expect(server.output()).not.toContain(token);
});

test('a page lets no script run that is not its own, and is shown in no frame', async ({
	browser,
	server,
}) => {
	// a page of its own: the refusal is told on the console
	const page = await browser.newPage();
	const response = await page.goto(`${server.url}/login`);
	const headers = response?.headers() ?? {};
	expect(headers['content-security-policy']).toMatch(/script-src 'self' 'nonce-[^']+'/);
	expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
	expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
	expect(headers).toMatchObject({
		'x-content-type-options': 'nosniff',
		'referrer-policy': 'same-origin',
	});
	const ran = await page.evaluate(() => {
		const script = document.createElement('script');
		script.textContent = 'window.forged = true';
		document.body.append(script);
		return 'forged' in window;
	});
	expect(ran).toBe(false);
	await page.close();
});
