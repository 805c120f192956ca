ALTER TABLE "events" ADD COLUMN "context" jsonb;--> statement-breakpoint
ALTER TABLE "share_links" ADD COLUMN "filter" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
-- An object of a few short texts; whatever else is in it is not read.
ALTER TABLE "events"
	ADD CONSTRAINT "events_context_object" CHECK (jsonb_typeof("context") = 'object') NOT VALID,
	ADD CONSTRAINT "events_context_size" CHECK (octet_length("context"::text) <= 2048) NOT VALID;
