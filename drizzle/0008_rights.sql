-- INSERT, DELETE and TRUNCATE need no right but the one to the table: what the triggers do, they do as their owner. The identity is
-- the same for every role.
ALTER FUNCTION "nowboard_truncated"() SECURITY DEFINER;
--> statement-breakpoint
ALTER FUNCTION "nowboard_identity"() SECURITY DEFINER;
--> statement-breakpoint
ALTER FUNCTION "nowboard_renew_epoch"() SECURITY DEFINER;
--> statement-breakpoint
-- It resets every open page: a role that may only insert may not call it.
REVOKE EXECUTE ON FUNCTION "nowboard_renew_epoch"() FROM PUBLIC;
