import { freePort } from '../../scripts/process/ports';
import { createAppServer } from '../setup/app-server';
import { envBelow, walkBelow } from '../setup/below-path';
import { startReverseProxy } from '../setup/reverse-proxy';
import { test } from './server';

const PATH = '/apps/now';

// pages with the tracker are walked, and they send heartbeats
test.use({ ownServer: true });

test('everything works below a path that the proxy strips', async ({ browser, server }) => {
	test.setTimeout(300_000);
	const proxy = await startReverseProxy(PATH);
	const address = proxy.url + PATH;
	const app = createAppServer(await freePort(), server.databaseUrl, envBelow(address));
	try {
		await app.start();
		proxy.point(app.url.replace('localhost', '127.0.0.1'));
		await walkBelow(browser, address, server.sql);
	} finally {
		await app.kill('SIGTERM');
		await proxy.close();
	}
});
