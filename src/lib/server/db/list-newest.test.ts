import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { createKeyring } from '../keys/keyring';
import { LISTED } from './list-newest';
import { createShareLinks } from '../access/share-links';

test('what works is listed first, what was ended after it; the rest of both is counted', async () => {
	const { sql } = await useDatabase();
	const keyring = createKeyring(sql);
	const links = createShareLinks(sql, { forget: () => {} });
	const none = { rows: [], more: { working: 0, ended: 0 } };
	expect([await keyring.list(), await links.list()]).toEqual([none, none]);
	const [working, ended] = [LISTED.working + 3, LISTED.ended + 2];
	// the oldest work: they are listed before all that have ended
	const times = sql`case when n > ${working} then now() end`;
	const numbers = sql`generate_series(1, ${working + ended}) n`;
	await sql`
		insert into nowboard.ingest_keys (hash, name, revoked_at, prefix, kind, source)
		select encode(sha256(n::text::bytea), 'hex'), n, ${times}, 'nb_sec_123456', 'secret', 'shop' from ${numbers}`;
	await sql`
		insert into nowboard.share_links (hash, name, revoked_at) select n, n, ${times} from ${numbers}`;
	for (const { rows, more } of [await keyring.list(), await links.list()]) {
		expect(more).toEqual({ working: 3, ended: 2 });
		const names = rows.map(({ name }) => Number(name));
		expect(names).toHaveLength(LISTED.working + LISTED.ended);
		expect([names[0], names[LISTED.working - 1]]).toEqual([working, 4]);
		expect([names[LISTED.working], names.at(-1)]).toEqual([working + ended, working + 3]);
		expect(rows.filter(({ revokedAt }) => revokedAt === null)).toHaveLength(LISTED.working);
	}
	// a link that has expired has ended too
	await sql`update nowboard.share_links set expires_at = now() - interval '1 second' where name = '1'`;
	await sql`update nowboard.share_links set expires_at = now() + interval '1 hour' where name = '2'`;
	expect((await links.list()).more).toEqual({ working: 2, ended: 3 });
});
