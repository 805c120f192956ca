/**
 * Preloaded by `npm start`: reads `.env` when there is one. Variables that are set already win.
 * Plain JavaScript, because it runs in production, where nothing translates TypeScript.
 */
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';

if (existsSync('.env')) loadEnvFile('.env');
