import { expect, test } from 'vitest';
import { assertPrograms } from './system-programs';

test('what is missing is named, with the one command that installs it', () => {
	expect(() => assertPrograms(() => undefined)).toThrow(
		/need caddy, faketime, nginx, openssl, pgbouncer, .*\n\n {4}apt-get update && apt-get install -y --no-install-recommends caddy faketime nginx-light openssl pgbouncer\n$/,
	);
	assertPrograms((name) => `/usr/sbin/${name}`);
});
