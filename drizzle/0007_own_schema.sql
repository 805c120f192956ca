-- Functions that no caller's search_path can mislead: each keeps the path that migrations run with, which is our schema.
-- NOTIFY's channel is the name of the schema: two installations in one database do not wake each other.
CREATE OR REPLACE FUNCTION "nowboard_ring"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, '');
	RETURN NULL;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "nowboard_own_tx"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.tx := pg_catalog.pg_current_xact_id();
	RETURN NEW;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "nowboard_identity"() RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	cluster text := '?';
	timeline text := '?';
	started text := '';
BEGIN
	BEGIN
		SELECT system_identifier::text INTO cluster FROM pg_control_system();
	EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN NULL;
	END;
	IF pg_is_in_recovery() THEN
		timeline := 'standby';
	ELSE
		BEGIN
			timeline := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
		EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN NULL;
		END;
	END IF;
	IF '?' IN (cluster, timeline) THEN
		started := '/' || extract(epoch FROM pg_postmaster_start_time());
	END IF;
	RETURN cluster || '/' || timeline || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
		|| '/' || 'events'::regclass::oid || started;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "nowboard_renew_epoch"() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO "meta" ("key", "value") VALUES
		('epoch', substr(replace(gen_random_uuid()::text, '-', ''), 1, 12)),
		('identity', nowboard_identity())
	ON CONFLICT ("key") DO UPDATE SET "value" = EXCLUDED."value";
	DELETE FROM "deletions";
	PERFORM pg_notify(current_schema(), '');
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "nowboard_truncated"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	PERFORM nowboard_renew_epoch();
	RETURN NULL;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "nowboard_deleted"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
	-- nobody has seen rows of our own transaction, and one from the future of a restored dump says nothing
	own xid8 := pg_current_xact_id();
	future xid8 := pg_snapshot_xmax(pg_current_snapshot());
	youngest timestamptz;
	newest xid8;
	shown xid8;
BEGIN
	SELECT max(created_at) INTO youngest FROM gone WHERE tx <> own;
	IF youngest IS NULL THEN RETURN NULL; END IF;
	SELECT tx INTO newest FROM gone WHERE tx <> own AND tx < future ORDER BY tx DESC LIMIT 1;
	SELECT tx INTO shown FROM events ORDER BY tx DESC, id DESC OFFSET 49 LIMIT 1;
	INSERT INTO deletions (through, recount) VALUES (
		coalesce(newest, '0'),
		youngest > clock_timestamp() - interval '30 minutes' OR newest IS NULL OR shown IS NULL OR newest >= shown
	);
	PERFORM pg_notify(current_schema(), '');
	RETURN NULL;
END $$;
