import { freePort } from '../../scripts/process/ports';
import { createAppServer } from '../setup/app-server';
import { envBelow, walkBelow } from '../setup/below-path';
import { startReverseProxy } from '../setup/reverse-proxy';
import { test } from './server';

for (const path of ['/now', '/apps/stats'])
	test(`everything works below ${path}, behind a proxy that strips it`, async ({
		browser,
		server,
	}) => {
		const proxy = await startReverseProxy(path);
		const address = proxy.url + path;
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
