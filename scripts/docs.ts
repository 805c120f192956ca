/** `npm run docs`: writes what the README and .env.example say of the environment. tests/docs/docs.test.ts fails when they say something else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putVariables, toExample } from './commands/variable-docs';

writeFileSync('README.md', putVariables(readFileSync('README.md', 'utf8')));
writeFileSync('.env.example', toExample());
