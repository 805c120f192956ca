import { describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../tests/setup/database';
import { hashKey } from '../../src/lib/server/keys/key-store';
import { parseCommand, runCommand } from './key-commands';

const split = (line: string) => (line === '' ? [] : line.split(' '));
const errorsOf = (line: string) => {
	const parsed = parseCommand(split(line));
	return parsed.ok ? [] : parsed.errors;
};

async function start() {
	const { sql, drop } = await createDatabase();
	onTestFinished(drop);
	const run = (line: string) => {
		const parsed = parseCommand(split(line));
		if (!parsed.ok) throw new Error(parsed.errors.join());
		return runCommand(sql, parsed.command);
	};
	return { sql, run };
}

describe('what is understood', () => {
	test('everything that a key can have', () => {
		const line =
			'create --source shop --kind public --origin https://a.example --origin https://b.example/ --name the-shop';
		expect(parseCommand(split(line))).toEqual({
			ok: true,
			command: {
				does: 'create',
				input: {
					kind: 'public',
					source: 'shop',
					name: 'the-shop',
					origins: ['https://a.example', 'https://b.example'],
				},
			},
		});
		expect(parseCommand(['rotate', '12'])).toEqual({
			ok: true,
			command: { does: 'rotate', id: 12 },
		});
	});

	test.each([
		['', ['The command is missing and must be one of create, list, rotate, revoke.']],
		['delete 1', ['The command is "delete" and must be one of create, list, rotate, revoke.']],
		[
			'create',
			[
				'--kind is missing and must be "public" (it stands in pages) or "secret" (it stays on servers).',
				'--source is missing and must have 1 to 120 characters.',
			],
		],
		[
			'create --source shop --kind public --origin shop.example',
			['--origin is "shop.example" and must be an origin, such as https://shop.example.'],
		],
		[
			'create --source shop --kind secret --origin https://shop.example',
			[
				'--origin is "https://shop.example" and must be left out: a secret key is taken from no page.',
			],
		],
		['create shop', ['create takes no "shop".']],
		['list 1', ['list takes no "1".']],
		['list --source shop', ['list takes no --source.']],
		['revoke', ['The id is missing and must be the number of a key, as "list" shows it.']],
		['revoke 1 2', ['revoke takes no "2".']],
		['rotate 1e3', ['The id is "1e3" and must be the number of a key, as "list" shows it.']],
		['revoke -1', [expect.stringContaining("Unknown option '-1'")]],
		['list --all', [expect.stringContaining("Unknown option '--all'")]],
	])('"%s" is a mistake that is named', (line, errors) => {
		expect(errorsOf(line)).toEqual(errors);
	});
});

test('a new key is said once, with how to use it; the list never says one', async () => {
	const { sql, run } = await start();
	const said = [
		await run('create --source shop --kind public --origin https://shop.example'),
		await run('create --source orders --kind secret'),
	];
	const keys = said.map((text) => /nb_(pub|sec)_[\w-]{43}/.exec(text)?.[0] ?? '');
	for (const [index, key] of keys.entries()) expect(said[index]?.split(key)).toHaveLength(2);
	expect(said[0]).toContain('for events of the source "shop" from https://shop.example');
	expect(said[0]).toContain('data-key="<key>"');
	expect(said[1]).toContain('authorization: Bearer <key>');
	const hashes = await sql`SELECT hash FROM nowboard.ingest_keys ORDER BY id`;
	expect(hashes.map(({ hash }) => hash as string)).toEqual(keys.map(hashKey));

	const list = await run('list');
	for (const key of keys) {
		expect(list).toContain(`${key.slice(0, 13)}…`);
		expect(list).not.toContain(key);
	}
});

test('the list is a table, and no name can forge a row of it', async () => {
	const { sql, run } = await start();
	expect(await run('list')).toMatch(/^There are no keys\. Make one:\nnpm run keys -- create/);
	await run('create --source shop --kind public');
	await run('create --source orders --kind secret --name backend');
	await sql`
		UPDATE nowboard.ingest_keys SET prefix = 'nb_x', created_at = '2026-01-02T03:04:05Z',
			name = CASE id WHEN 1 THEN E'a\\n9\\x1b[2J' ELSE name END`;
	await run('revoke 2');
	await sql`UPDATE nowboard.ingest_keys SET revoked_at = '2026-01-03T00:00:00Z' WHERE id = 2`;
	expect(await run('list')).toBe(
		[
			'id  key    kind    source  name     origins  created           last used  revoked',
			'1   nb_x…  public  shop    a�9�[2J  any      2026-01-02 03:04  -          -',
			'2   nb_x…  secret  orders  backend  -        2026-01-02 03:04  -          2026-01-03 00:00',
		].join('\n'),
	);
});

test('rotated and revoked, it is said until when a key works; what cannot be is an error', async () => {
	const { run } = await start();
	const made = await run('create --source shop --kind public');
	expect(await run('rotate 1')).toMatch(
		/^Key 1 is revoked, and no server takes it after 5 s\.\n\nKey 2, public, for events of the source "shop":\n\n {4}nb_pub_/,
	);
	await expect(run('rotate 1')).rejects.toThrow('There is no key 1 that still works');
	expect(await run('revoke 2')).toMatch(/^Key 2 \(nb_pub_.{6}…\) is revoked/);
	expect(await run('revoke 2')).toMatch(/^Key 2 .* is revoked/);
	await expect(run('revoke 3')).rejects.toThrow('There is no key 3.');
	expect(made).toContain('Key 1');
});
