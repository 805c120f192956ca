/** What `npm run keys` understands, does and says. Ends no process and opens no database. */
import { parseArgs } from 'node:util';
import type { Sql } from '../../src/lib/server/db/connect';
import {
	createKey,
	listKeys,
	revokeKey,
	rotateKey,
	type ListedKey,
	type MadeKey,
} from '../../src/lib/server/keys/key-store';
import { parseNewKey, type NewKey } from '../../src/lib/server/keys/parse-new-key';
import { KEY_BOUNDS } from '../../src/lib/server/keys/key-check';

export type KeyCommand =
	{ does: 'create'; input: NewKey } | { does: 'list' } | { does: 'rotate' | 'revoke'; id: number };
export type ParsedCommand = { ok: true; command: KeyCommand } | { ok: false; errors: string[] };

export const USAGE = `npm run keys -- create --source shop --kind public [--origin https://shop.example]… [--name text]
npm run keys -- create --source orders --kind secret [--name text]
npm run keys -- list
npm run keys -- rotate <id>
npm run keys -- revoke <id>`;

const NAMES = ['create', 'list', 'rotate', 'revoke'] as const;
const ENDS_S = KEY_BOUNDS.lifeMs / 1000;

/** @param args what stands behind `npm run keys --` */
export function parseCommand(args: string[]): ParsedCommand {
	let parsed;
	try {
		parsed = parseArgs({
			args,
			allowPositionals: true,
			options: {
				source: { type: 'string' },
				kind: { type: 'string' },
				name: { type: 'string' },
				origin: { type: 'string', multiple: true },
			},
		});
	} catch (error) {
		return fail(error instanceof Error ? error.message : String(error));
	}
	const { values, positionals } = parsed;
	const [name, id, ...rest] = positionals;
	const does = NAMES.find((one) => one === name);
	if (!does) return fail(`The command is ${say(name)} and must be one of ${NAMES.join(', ')}.`);
	const takesId = does === 'rotate' || does === 'revoke';
	const [surplus] = takesId ? rest : [id, ...rest].filter((one) => one !== undefined);
	if (surplus !== undefined) return fail(`${does} takes no ${say(surplus)}.`);
	const [option] = does === 'create' ? [] : Object.keys(values);
	if (option) return fail(`${does} takes no --${option}.`);
	if (takesId) {
		// above it, a number is no longer exact
		if (!/^\d{1,15}$/.test(id ?? ''))
			return fail(`The id is ${say(id)} and must be the number of a key, as "list" shows it.`);
		return { ok: true, command: { does, id: Number(id) } };
	}
	if (does === 'list') return { ok: true, command: { does } };
	const key = parseNewKey({ ...values, origins: values.origin ?? [] });
	if (key.ok) return { ok: true, command: { does: 'create', input: key.key } };
	return {
		ok: false,
		errors: key.errors.map(({ path, value, rule }) => `--${path} is ${say(value)} and ${rule}.`),
	};
}

/** Returns what is to be said; throws what went wrong, with the rule. */
export async function runCommand(sql: Sql, command: KeyCommand): Promise<string> {
	if (command.does === 'create') return toNews(await createKey(sql, command.input, 'command'));
	if (command.does === 'list') {
		const keys = await listKeys(sql);
		return keys.length === 0 ? `There are no keys. Make one:\n${USAGE}` : toTable(keys);
	}
	const { does, id } = command;
	if (does === 'rotate') {
		const made = await rotateKey(sql, id, 'command');
		if (!made)
			throw new Error(
				`There is no key ${id} that still works, so there is nothing to rotate. "list" shows them.`,
			);
		return `Key ${id} is revoked, and no server takes it after ${ENDS_S} s.\n\n${toNews(made)}`;
	}
	const revoked = await revokeKey(sql, id, 'command');
	if (!revoked) throw new Error(`There is no key ${id}. "list" shows them.`);
	return `Key ${id} (${revoked.prefix}…) is revoked, and no server takes it after ${ENDS_S} s.`;
}

/** The only text that ever holds a key, and it holds it once. */
function toNews({ id, key, kind, source, origins }: MadeKey): string {
	const from = origins.length > 0 ? ` from ${origins.join(', ')}` : '';
	const use =
		kind === 'public'
			? '<script defer src="https://<your server>/t.js" data-key="<key>"></script>'
			: 'curl https://<your server>/api/events -H "authorization: Bearer <key>" -H "content-type: application/json" -d \'{"name":"hello"}\'';
	return `Key ${id}, ${kind}, for events of the source "${source}"${from}:

    ${key}

It is shown this once: only its hash is kept. To use it:

    ${use}`;
}

const COLUMNS: [title: string, text: (key: ListedKey) => string][] = [
	['id', ({ id }) => String(id)],
	['key', ({ prefix }) => `${prefix}…`],
	['kind', ({ kind }) => kind],
	['source', ({ source }) => source],
	['name', ({ name }) => name],
	['origins', ({ kind, origins }) => origins.join(' ') || (kind === 'public' ? 'any' : '-')],
	['created', ({ createdAt }) => toMinute(createdAt)],
	['last used', ({ lastUsedAt }) => toMinute(lastUsedAt)],
	['revoked', ({ revokedAt }) => toMinute(revokedAt)],
];

function toTable(keys: readonly ListedKey[]): string {
	const rows = [
		COLUMNS.map(([title]) => title),
		...keys.map((key) => COLUMNS.map(([, text]) => toPrintable(text(key)))),
	];
	const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
	return rows
		.map((row) =>
			row
				.map((text, column) => text.padEnd(widths[column]!))
				.join('  ')
				.trimEnd(),
		)
		.join('\n');
}

function toMinute(at: Date | null): string {
	return at ? at.toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length).replace('T', ' ') : '-';
}

/** A name with a line break or a control sequence must not forge a row of the table. */
function toPrintable(text: string): string {
	return text.replace(/\p{Cc}/gu, '�');
}

function say(value: unknown): string {
	return typeof value === 'string' ? `"${value}"` : 'missing';
}

function fail(error: string): ParsedCommand {
	return { ok: false, errors: [error] };
}
