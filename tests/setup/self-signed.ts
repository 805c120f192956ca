/** A certificate that is signed by its own key, made with Node alone: tests of TLS need no openssl. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { isIP } from 'node:net';

export type SelfSigned = { certificate: string; key: string };

const COMMON_NAME = '2.5.4.3';
const ALT_NAMES = '2.5.29.17';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** @param names DNS names and IPv4 addresses. @returns PEM */
export function makeSelfSigned(names: string[]): SelfSigned {
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const algorithm = sequence(oid(ECDSA_WITH_SHA256));
	const subject = sequence(tag(0x31, sequence(oid(COMMON_NAME), text(names[0] ?? 'test'))));
	const altNames = names.map((name) =>
		isIP(name) === 4
			? tag(0x87, Buffer.from(name.split('.').map(Number)))
			: tag(0x82, Buffer.from(name)),
	);
	const body = sequence(
		tag(0xa0, tag(0x02, Buffer.from([2]))),
		tag(0x02, Buffer.from([1])),
		algorithm,
		subject,
		sequence(time('20200101000000Z'), time('20991231235959Z')),
		subject,
		publicKey.export({ type: 'spki', format: 'der' }),
		tag(0xa3, sequence(sequence(oid(ALT_NAMES), tag(0x04, sequence(...altNames))))),
	);
	const signature = sign('sha256', body, privateKey);
	const certificate = sequence(body, algorithm, tag(0x03, Buffer.from([0]), signature));
	return {
		certificate: toPem(certificate),
		key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
	};
}

/** One DER value: tag, length, content. */
function tag(type: number, ...parts: Buffer[]): Buffer {
	const content = Buffer.concat(parts);
	const size = content.length;
	const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
	return Buffer.concat([Buffer.from([type, ...length]), content]);
}

const sequence = (...parts: Buffer[]) => tag(0x30, ...parts);
const text = (value: string) => tag(0x0c, Buffer.from(value));
const time = (value: string) => tag(0x18, Buffer.from(value));

function oid(dotted: string): Buffer {
	const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
	const bytes = rest.flatMap((value) => {
		const digits = [value & 0x7f];
		for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
		return digits;
	});
	return tag(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

function toPem(der: Buffer): string {
	const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
	return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
