import { defineConfig } from 'drizzle-kit';

// Only `generate` and `studio` are used: migrations run through src/lib/server/migrations/migrate.ts, under a lock,
// and `push` is not offered because it would drop the triggers (docs/decisions/0005-no-db-push.md).
export default defineConfig({
	dialect: 'postgresql',
	schema: './src/lib/server/db/schema.ts',
	out: './drizzle',
	dbCredentials: { url: process.env.DATABASE_DIRECT_URL ?? process.env.DATABASE_URL ?? '' },
	strict: true,
});
