/**
 * `npm run erase -- --session <id> | --user <id> | --from <time> --to <time> [--source s] [--yes]`: erases events for good. Without `--yes` it says how
 * many there are. In the database of DATABASE_URL, otherwise in that of `npm run dev`. Running servers need not be told. Where there is
 * only a build it is `node build/erase.js` (scripts/release/build-release.ts).
 */
import { withTables } from './commands/run-command';
import { countErasing, erase, parseErasing, USAGE } from './commands/erase-events';

const parsed = parseErasing(process.argv.slice(2));
if (!parsed.ok) {
	console.error(`${parsed.errors.join('\n')}\n${USAGE}`);
	process.exit(2);
}
const { erasing, sure } = parsed;

await withTables(async (sql) => {
	const count = await countErasing(sql, erasing);
	if (!sure) return console.log(`${count} events would be erased. With --yes they are.`);
	console.log(`Erasing ${count} events …`);
	const erased = await erase(sql, erasing, (rows) => console.log(`${rows} erased`));
	console.log(`${erased} events are erased, and open pages are reset without them.`);
});
