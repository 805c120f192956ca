-- Times that every reader can hold: the years 1 to 9999 in UTC. The name of the constraint is what a refused INSERT says.
-- NOT VALID: rows that are there are moved into the range by the index below, and no scan of the table holds up writers.
ALTER TABLE "events"
	DROP CONSTRAINT IF EXISTS "events_created_at_finite",
	ADD CONSTRAINT "events_created_at_in_years_1_to_9999" CHECK (
		"created_at" >= '0001-01-01 00:00:00+00' AND "created_at" < '10000-01-01 00:00:00+00'
	) NOT VALID;
--> statement-breakpoint
UPDATE "events" SET "created_at" = '0001-01-01 00:00:00+00' WHERE "created_at" < '0001-01-01 00:00:00+00';
--> statement-breakpoint
UPDATE "events" SET "created_at" = '9999-12-31 23:59:59.999+00' WHERE "created_at" >= '10000-01-01 00:00:00+00';
