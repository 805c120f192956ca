-- UNLOGGED: written often, and worth nothing a minute later. A crash of Postgres empties both.
CREATE UNLOGGED TABLE "presence" (
	"id" bigint PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"source" text NOT NULL,
	"path" text,
	"origin" jsonb,
	"context" jsonb,
	"visible" boolean NOT NULL,
	"input_at" timestamp (3) with time zone,
	"heard_at" timestamp (3) with time zone NOT NULL,
	"left_at" timestamp (3) with time zone,
	"stated_at" timestamp (3) with time zone NOT NULL,
	"written_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE UNLOGGED TABLE "presence_beats" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"heard" bigint[] NOT NULL,
	"idle" integer[] NOT NULL
);
--> statement-breakpoint
CREATE INDEX "presence_written_at" ON "presence" USING btree ("written_at");--> statement-breakpoint
CREATE INDEX "presence_beats_at" ON "presence_beats" USING btree ("at");