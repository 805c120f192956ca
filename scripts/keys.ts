/**
 * `npm run keys -- create | list | rotate | revoke`: who may send events. In the database of DATABASE_URL, otherwise in that of
 * `npm run dev`. Running servers need not be told. Where there is only a build it is `node build/keys.js` (scripts/release/build-release.ts).
 */
import { withTables } from './commands/run-command';
import { parseCommand, runCommand, USAGE } from './commands/key-commands';

const parsed = parseCommand(process.argv.slice(2));
if (!parsed.ok) {
	console.error(`${parsed.errors.join('\n')}\n${USAGE}`);
	process.exit(2);
}
const { command } = parsed;

await withTables(async (sql) => console.log(await runCommand(sql, command)));
