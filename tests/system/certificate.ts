/** A self-signed certificate, as a stand-in for one of Let's Encrypt. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { findProgram } from '../../scripts/testing/system-programs';

export type Certificate = { certificate: string; key: string };

/** @returns its files in `folder`, in PEM; good for the name and for 127.0.0.1 */
export function makeCertificate(folder: string, name: string, days = 90): Certificate {
	const openssl = findProgram('openssl');
	if (!openssl) throw new Error('There is no openssl: npm run test:system says how to install it.');
	const [certificate, key] = [join(folder, 'fullchain.pem'), join(folder, 'privkey.pem')];
	execFileSync(
		openssl,
		[
			...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
			...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`],
			...['-days', String(days), '-keyout', key, '-out', certificate],
		],
		{ stdio: 'pipe' },
	);
	return { certificate, key };
}
