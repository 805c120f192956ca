/**
 * Address → country, from a file: the one of the npm package, or a better one by GEOIP_FILE. Looked up in memory;
 * the address goes no further.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { Reader, type Response } from 'mmdb-lib';

/** ISO 3166-1 alpha-2, upper case; null: not known. */
export type Countries = (address: string) => string | null;

/** CC0; refreshed with the package. */
const PACKAGED = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';
const CODE = /^[A-Z]{2}$/;

/** What country files hold: ip-location-db's shape, or MaxMind's. */
type Found = { country_code?: unknown; country?: { iso_code?: unknown } };

/** Answers null until the file is read, and for good when it cannot be: events must not wait for it. */
export function startCountries(path: string | null, onError: (error: unknown) => void): Countries {
	let countries: Countries | null = null;
	readCountries(path).then((read) => (countries = read), onError);
	return (address) => countries?.(address) ?? null;
}

/**
 * @param path of a file in MaxMind's format; null: the packaged one
 * @throws when the file cannot be read or is not in that format
 */
export async function readCountries(path: string | null): Promise<Countries> {
	const file = path ?? createRequire(import.meta.url).resolve(PACKAGED);
	const reader = new Reader<Response>(await readFile(file));
	return (address) => {
		if (isIP(address) === 0) return null;
		const found = reader.get(address) as Found | null;
		return toCountry(found?.country_code ?? found?.country?.iso_code);
	};
}

/** A code as sent by a proxy or a server. `XX` and `T1` are Cloudflare's "unknown" and "Tor". */
export function toCountry(value: unknown): string | null {
	if (typeof value !== 'string') return null;
	const code = value.trim().toUpperCase();
	return CODE.test(code) && code !== 'XX' ? code : null;
}
