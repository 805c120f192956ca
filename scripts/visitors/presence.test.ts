import { expect, test } from 'vitest';
import { parsePresence } from '../../src/lib/server/ingest/parse-presence';
import { createPresence } from './presence';
import { createRandom } from './random';
import { steady } from './rhythm';
import { createVisitors } from './visitors';

test('simulated visitors come, stay, move and leave; the endpoint takes all that is said', () => {
	const random = createRandom(1);
	const next = createVisitors(random, { ratePerS: 5, rhythm: steady });
	const presence = createPresence(createRandom(2));
	const seen = { visible: 0, hidden: 0, gone: 0 };
	const here = new Set<string>();
	let most = 0;
	let upcoming = next();
	for (let clockMs = 0; clockMs < 600_000; clockMs += 500) {
		for (; upcoming.atMs <= clockMs; upcoming = next()) presence.saw(upcoming);
		const said = presence.due(clockMs);
		if (said.length > 0) expect(parsePresence(said, Date.now())).toMatchObject({ ok: true });
		for (const { sessionId, state } of said) {
			seen[state]++;
			if (state === 'gone') here.delete(sessionId);
			else here.add(sessionId);
		}
		most = Math.max(most, here.size);
	}
	// about as many as come in the half minute that a visit takes, on each of several pages
	expect(most).toBeGreaterThan(20);
	for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});
