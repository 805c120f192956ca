/**
 * `npm run doctor -- [https://now.example.com]`: looks at a deployment, with DATABASE_URL and the other variables of the server where they are
 * set here (`.env` too), and says what is wrong and how to mend it. Exit code: 0, or 1 when something is wrong, 2 when it was
 * not asked right. Where there is only a build it is `node build/doctor.js`.
 */
import { existsSync } from 'node:fs';
import { examine } from './doctor/examine';
import { toText } from './doctor/finding';

const USAGE = 'npm run doctor -- https://now.example.com';

if (existsSync('.env')) process.loadEnvFile('.env');
const [given, ...more] = process.argv.slice(2);
const url = given ?? process.env.ORIGIN ?? '';
if (more.length > 0 || (url && !/^https?:\/\//.test(url)) || (url && !URL.canParse(url))) {
	console.error(`"${process.argv.slice(2).join(' ')}" is no address.\n${USAGE}`);
	process.exit(2);
}
const findings = await examine(url ? toAddress(new URL(url)) : null, process.env);
console.log(toText(findings));
// a connection that a pooler has swallowed would keep the process for seconds
process.exit(findings.some(({ is }) => is === 'wrong') ? 1 : 0);

function toAddress({ origin, pathname }: URL): string {
	return origin + pathname.replace(/\/+$/, '');
}
