-- Limits that protect readers: anything that can INSERT is a source, so they hold for every source.
-- Properties are bounded at twice the wire's 8 KiB, because jsonb prints a blank after every comma and colon.
ALTER TABLE "events"
	ADD CONSTRAINT "events_name_length" CHECK (char_length("name") BETWEEN 1 AND 120),
	ADD CONSTRAINT "events_source_length" CHECK (char_length("source") BETWEEN 1 AND 120),
	ADD CONSTRAINT "events_session_id_length" CHECK (char_length("session_id") BETWEEN 1 AND 200),
	ADD CONSTRAINT "events_properties_object" CHECK (jsonb_typeof("properties") = 'object'),
	ADD CONSTRAINT "events_properties_size" CHECK (octet_length("properties"::text) <= 16384),
	ADD CONSTRAINT "events_created_at_finite" CHECK ("created_at" > '-infinity' AND "created_at" < 'infinity');
--> statement-breakpoint
-- The doorbell: one NOTIFY a statement, without payload. It only says "look"; the truth is read from the table.
CREATE FUNCTION "nowboard_ring"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('nowboard', '');
	RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "events_ring" AFTER INSERT ON "events"
	FOR EACH STATEMENT EXECUTE FUNCTION "nowboard_ring"();
--> statement-breakpoint
-- A row says which transaction wrote it. A value given by hand is overruled: a row "from the future" would stay unseen.
CREATE FUNCTION "nowboard_own_tx"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.tx := pg_current_xact_id();
	RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER "events_own_tx" BEFORE INSERT ON "events"
	FOR EACH ROW WHEN (NEW.tx IS DISTINCT FROM pg_current_xact_id())
	EXECUTE FUNCTION "nowboard_own_tx"();
--> statement-breakpoint
-- What identifies this history of this database: cluster, timeline, database. A restore, a promotion or a copy changes it.
CREATE FUNCTION "nowboard_identity"() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	cluster text := '?';
	timeline text := '?';
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
	RETURN cluster || '/' || timeline || '/' || (SELECT oid FROM pg_database WHERE datname = current_database());
END $$;
--> statement-breakpoint
-- A new epoch ends every cursor handed out so far: clients get a reset.
CREATE FUNCTION "nowboard_renew_epoch"() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO "meta" ("key", "value") VALUES
		('epoch', substr(replace(gen_random_uuid()::text, '-', ''), 1, 12)),
		('identity', nowboard_identity())
	ON CONFLICT ("key") DO UPDATE SET "value" = EXCLUDED."value";
	PERFORM pg_notify('nowboard', '');
END $$;
--> statement-breakpoint
CREATE FUNCTION "nowboard_truncated"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM nowboard_renew_epoch();
	RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "events_truncated" AFTER TRUNCATE ON "events"
	FOR EACH STATEMENT EXECUTE FUNCTION "nowboard_truncated"();
--> statement-breakpoint
SELECT nowboard_renew_epoch();
