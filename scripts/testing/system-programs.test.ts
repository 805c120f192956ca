import { expect, test } from 'vitest';
import { assertPrograms } from './system-programs';

test('what is missing is named, with the one command that installs it', () => {
	expect(() => assertPrograms(() => undefined)).toThrow(
		/need adduser, caddy, curl, .*\n\n {4}apt-get update && apt-get install -y --no-install-recommends adduser caddy .* nginx-light openssl postgresql pgbouncer redis-server sudo util-linux\n$/,
	);
	assertPrograms((name) => `/usr/sbin/${name}`);
});
