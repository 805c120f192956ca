CREATE TABLE "retention_state" (
	"id" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"deleted" bigint DEFAULT 0 NOT NULL,
	"deleted_total" bigint DEFAULT 0 NOT NULL,
	"reached" timestamp (3) with time zone,
	"resume_at" timestamp (3) with time zone DEFAULT date_trunc('milliseconds', clock_timestamp()) NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rollup_state" (
	"id" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"position" "xid8" DEFAULT '0' NOT NULL,
	"holes" "xid8"[] DEFAULT '{}' NOT NULL,
	"tick" bigint DEFAULT 0 NOT NULL,
	"sources" text[] DEFAULT '{}' NOT NULL,
	"through" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "rollups" (
	"step" smallint NOT NULL,
	"source" text NOT NULL,
	"start" timestamp (3) with time zone NOT NULL,
	"events" integer NOT NULL,
	"page_views" integer NOT NULL,
	"peak_sessions" integer,
	CONSTRAINT "rollups_step_source_start_pk" PRIMARY KEY("step","source","start")
);
--> statement-breakpoint
-- One row each. The sums begin with the oldest event that is there: transaction 0.
ALTER TABLE "rollup_state" ADD CONSTRAINT "rollup_state_one_row" CHECK ("id");
--> statement-breakpoint
ALTER TABLE "retention_state" ADD CONSTRAINT "retention_state_one_row" CHECK ("id");
--> statement-breakpoint
ALTER TABLE "rollups" ADD CONSTRAINT "rollups_step" CHECK ("step" IN (60, 900));
--> statement-breakpoint
INSERT INTO "rollup_state" DEFAULT VALUES;
--> statement-breakpoint
INSERT INTO "retention_state" DEFAULT VALUES;
