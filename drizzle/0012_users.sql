ALTER TABLE "events" ADD COLUMN "user_id" text;--> statement-breakpoint
ALTER TABLE "events"
	ADD CONSTRAINT "events_user_id_length" CHECK (char_length("user_id") BETWEEN 1 AND 200) NOT VALID;--> statement-breakpoint
-- A session's events, and those of a user, newest first: without it the path of a person reads the whole table.
CREATE INDEX "events_session" ON "events" USING btree ("session_id","created_at");--> statement-breakpoint
CREATE INDEX "events_user" ON "events" USING btree ("user_id","created_at") WHERE user_id is not null;
