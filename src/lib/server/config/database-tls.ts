/**
 * TLS to Postgres with the meanings of libpq's `sslmode`. postgres.js checks the host's name under `verify-ca` too, and under
 * `verify-full` takes an IP address for "localhost"; so it gets the options of Node instead of the mode's name.
 * https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS
 */
import { readFileSync } from 'node:fs';
import { checkServerIdentity, type ConnectionOptions, type PeerCertificate } from 'node:tls';
import { UrlFault } from './url-fault';

const TLS_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

export type Tls = {
	mode: TlsMode;
	/** file of the certificate authority, or `system`: those that Node trusts */
	rootCert: string | null;
	/** files with the certificate and the key of the client */
	cert: string | null;
	key: string | null;
	/** the handshake begins at once, without asking Postgres first */
	direct: boolean;
};

/** What other drivers write. */
const OTHER_NAMES: Readonly<Record<string, TlsMode>> = {
	true: 'require',
	'1': 'require',
	'no-verify': 'require',
	false: 'disable',
	'0': 'disable',
};

/** @param take the value of a parameter of the URL, taken out of it. Null: the URL says nothing about TLS. */
export function toTls(take: (name: string) => string | null): Tls | null {
	const [sslmode, ssl] = [take('sslmode'), take('ssl')];
	const files = { rootCert: take('sslrootcert'), cert: take('sslcert'), key: take('sslkey') };
	const rest = { ...files, direct: take('sslnegotiation') === 'direct' };
	const given = sslmode ?? ssl;
	const mode = given === null ? null : toMode(OTHER_NAMES[given] ?? given);
	const { rootCert, cert, direct } = rest;
	if (mode === 'disable') return { mode, ...rest };
	if (rootCert === 'system') return { mode: 'verify-full', ...rest };
	// as libpq: a certificate authority makes more of `require`
	if (mode !== null) return { mode: mode === 'require' && rootCert ? 'verify-ca' : mode, ...rest };
	if (rootCert) return { mode: 'verify-full', ...rest };
	return cert || direct ? { mode: 'require', ...rest } : null;
}

function toMode(text: string): TlsMode {
	const mode = TLS_MODES.find((one) => one === text);
	if (!mode)
		throw new UrlFault(`has sslmode "${text}": it must be one of ${TLS_MODES.join(', ')}.`);
	return mode;
}

export type Certificates = { ca?: string; cert?: string; key?: string };

/** @throws UrlFault where a file cannot be read */
export function readCertificates({ mode, rootCert, cert, key }: Tls): Certificates {
	const ca = mode.startsWith('verify') && rootCert !== 'system' ? rootCert : null;
	const files = { ca: ['sslrootcert', ca], cert: ['sslcert', cert], key: ['sslkey', key] } as const;
	const read: Certificates = {};
	for (const [option, [parameter, path]] of Object.entries(files)) {
		if (path === null) continue;
		try {
			read[option as keyof Certificates] = readFileSync(path, 'utf8');
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			throw new UrlFault(
				`names the file "${path}" as ${parameter}, which cannot be read (${code}).`,
			);
		}
	}
	return read;
}

/**
 * What postgres.js takes as `ssl`. `allow` and `prefer` go on without TLS where the server has none.
 * @param hosts that the certificate may name under `verify-full`: the driver does not say which one it has reached
 */
export function toTlsOptions(
	tls: Tls,
	certificates: Certificates,
	hosts: readonly string[],
): false | 'prefer' | ConnectionOptions {
	if (tls.mode === 'disable') return false;
	if (tls.mode === 'allow' || tls.mode === 'prefer') return 'prefer';
	const isNamed = (_: string, certificate: PeerCertificate) => {
		const errors = hosts.map((host) => checkServerIdentity(host, certificate));
		return errors.includes(undefined) ? undefined : errors[0];
	};
	return {
		...certificates,
		rejectUnauthorized: tls.mode !== 'require',
		checkServerIdentity: tls.mode === 'verify-full' ? isNamed : () => undefined,
	};
}
