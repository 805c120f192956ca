/** `npm run docs`: writes docs/configuration.md and .env.example. tests/docs/docs.test.ts fails when they are out of date. */
import { writeFileSync } from 'node:fs';
import { toConfiguration, toExample } from './commands/variable-docs';

writeFileSync('docs/configuration.md', toConfiguration());
writeFileSync('.env.example', toExample());
