/**
 * The tables, as drizzle reads them; types come from here ($inferSelect/$inferInsert).
 * Triggers, functions and CHECK constraints live in the custom migration in `drizzle/`.
 * `events.tx` is the transaction that wrote the row: the cursor stands on it (docs/decisions/0002-cursor.md).
 */
import { sql } from 'drizzle-orm';
import {
	bigint,
	boolean,
	customType,
	index,
	integer,
	jsonb,
	pgTable,
	primaryKey,
	smallint,
	text,
	timestamp,
	uuid,
} from 'drizzle-orm/pg-core';
import type { EventContext, Json, People } from '../../protocol';

/** A 64-bit transaction id, as text: it does not fit a double. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

const xid8Array = customType<{ data: string[] }>({ dataType: () => 'xid8[]' });

/** Milliseconds, truncated and never rounded: a row must not lie in the future of the snapshot that sees it. */
const millisecond = (name: string) =>
	timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
const now = sql`date_trunc('milliseconds', clock_timestamp())`;

export const events = pgTable(
	'events',
	{
		id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
		tx: xid8('tx')
			.notNull()
			.default(sql`pg_current_xact_id()`),
		eventId: uuid('event_id')
			.notNull()
			.unique('events_event_id_unique')
			.default(sql`gen_random_uuid()`),
		name: text('name').notNull(),
		source: text('source').notNull().default('sql'),
		sessionId: text('session_id'),
		/** who the site says it is: joins the sessions of one user */
		userId: text('user_id'),
		properties: jsonb('properties').$type<{ [key: string]: Json }>().notNull().default({}),
		/** what is known beside what was sent */
		context: jsonb('context').$type<EventContext>(),
		createdAt: millisecond('created_at').notNull().default(now),
	},
	(table) => [
		index('events_tx_id').on(table.tx, table.id),
		index('events_created_at').on(table.createdAt),
		index('events_session').on(table.sessionId, table.createdAt),
		index('events_user')
			.on(table.userId, table.createdAt)
			.where(sql`user_id is not null`),
	],
);

export const metricsSnapshots = pgTable(
	'metrics_snapshots',
	{
		id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
		/** floor(database time / 2 s): the first instance to insert has recorded it */
		tick: bigint('tick', { mode: 'number' }).notNull().unique('metrics_snapshots_tick_unique'),
		pageViews: integer('page_views').notNull(),
		activeSessions: integer('active_sessions').notNull(),
		eventsCount: integer('events_count').notNull(),
		eventsPerMinute: integer('events_per_minute').notNull(),
		recordedAt: millisecond('recorded_at').notNull(),
		/** who was here; null: presence was switched off or not read */
		people: jsonb('people').$type<People>(),
		/** the position whose rows the figures count: with recorded_at, SQL can check them */
		cursor: text('cursor').notNull(),
	},
	(table) => [index('metrics_snapshots_recorded_at').on(table.recordedAt)],
);

/** Sums for years (docs/retention.md): how many events were created in each minute and each quarter of an hour. */
export const rollups = pgTable(
	'rollups',
	{
		/** length in seconds: 60 or 900 */
		step: smallint('step').notNull(),
		/** '': all sources together */
		source: text('source').notNull(),
		start: millisecond('start').notNull(),
		events: integer('events').notNull(),
		pageViews: integer('page_views').notNull(),
		/** the highest `active_sessions` of the ticks in it, of all sources only; null: no tick was recorded */
		peakSessions: integer('peak_sessions'),
	},
	(table) => [primaryKey({ columns: [table.step, table.source, table.start] })],
);

/** How far the sums have come: one row, whose lock makes one process at a time count. */
export const rollupState = pgTable('rollup_state', {
	id: boolean('id').primaryKey().default(true),
	/** the newest transaction counted, and those below it that were running: events of none else are left to count */
	position: xid8('position').notNull().default('0'),
	holes: xid8Array('holes')
		.notNull()
		.default(sql`'{}'`),
	/** the newest tick whose sessions were taken over */
	tick: bigint('tick', { mode: 'number' }).notNull().default(0),
	/** those that have sums of their own */
	sources: text('sources').array().notNull().default([]),
	/** everything committed by then is counted; null: not yet */
	through: millisecond('through'),
});

/** The deletion of old events: one row, whose lock makes one process at a time delete. */
export const retentionState = pgTable('retention_state', {
	id: boolean('id').primaryKey().default(true),
	startedAt: millisecond('started_at'),
	/** null while a run is not at its end */
	finishedAt: millisecond('finished_at'),
	/** rows of the last run */
	deleted: bigint('deleted', { mode: 'number' }).notNull().default(0),
	deletedTotal: bigint('deleted_total', { mode: 'number' }).notNull().default(0),
	/** `created_at` of the last row deleted in this run: the next chunk begins there */
	reached: millisecond('reached'),
	/** no chunk before */
	resumeAt: millisecond('resume_at').notNull().default(now),
});

/** What DELETE leaves behind, so that a cursor from before is known to have missed rows; emptied when the epoch is renewed. */
export const deletions = pgTable(
	'deletions',
	{
		id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
		/** the newest transaction of which a row was deleted */
		through: xid8('through').notNull(),
		/** the figures or the feed hold deleted rows: all clients are reset */
		recount: boolean('recount').notNull(),
	},
	(table) => [
		index('deletions_through').on(table.through),
		index('deletions_recount')
			.on(table.id)
			.where(sql`recount`),
	],
);

/**
 * Presence: one row a session and source, written when something about it changes. UNLOGGED (the migration says so): a crash of
 * Postgres empties it, and the next heartbeats fill it. Times are the database's.
 */
export const presence = pgTable(
	'presence',
	{
		/** of source and session id (presence/presence-row.ts) */
		id: bigint('id', { mode: 'bigint' }).primaryKey(),
		sessionId: text('session_id').notNull(),
		source: text('source').notNull(),
		path: text('path'),
		/** where the visit came from: referrer's host and `utm_*`; null: not known */
		origin: jsonb('origin').$type<{ [key: string]: string }>(),
		context: jsonb('context').$type<EventContext>(),
		visible: boolean('visible').notNull(),
		inputAt: millisecond('input_at'),
		heardAt: millisecond('heard_at').notNull(),
		/** null: it has not said that it leaves */
		leftAt: millisecond('left_at'),
		/** by the sender's clock, if it gave a time: orders the states of one session */
		statedAt: millisecond('stated_at').notNull(),
		writtenAt: millisecond('written_at').notNull(),
	},
	(table) => [index('presence_written_at').on(table.writtenAt)],
);

/** Heartbeats that changed nothing in `presence`: one row for all that an instance heard within two seconds. UNLOGGED. */
export const presenceBeats = pgTable(
	'presence_beats',
	{
		id: uuid('id')
			.primaryKey()
			.default(sql`gen_random_uuid()`),
		at: millisecond('at').notNull(),
		/** of `presence` */
		heard: bigint('heard', { mode: 'bigint' }).array().notNull(),
		/** ms since the last input of each; null: none is known */
		idle: integer('idle').array().notNull(),
	},
	(table) => [index('presence_beats_at').on(table.at)],
);

/**
 * Credentials for sending. The hash is a SHA-256: a slow one (bcrypt, scrypt) gains nothing for 32 random
 * bytes, and every request would pay for it.
 */
export const ingestKeys = pgTable('ingest_keys', {
	id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
	/** of the whole key, as 64 hexadecimal digits */
	hash: text('hash').notNull().unique('ingest_keys_hash_unique'),
	/** the key's first characters, to recognise it */
	prefix: text('prefix').notNull(),
	/** `public`: for pages, where anyone can read it; `secret`: for servers */
	kind: text('kind', { enum: ['public', 'secret'] }).notNull(),
	/** every event that comes with this key is of this source */
	source: text('source').notNull(),
	/** what people call it */
	name: text('name').notNull(),
	/** a public key is taken from pages of these alone; empty: from any */
	origins: text('origins').array().notNull().default([]),
	createdAt: millisecond('created_at').notNull().default(now),
	revokedAt: millisecond('revoked_at'),
	/** written at most once a minute */
	lastUsedAt: millisecond('last_used_at'),
});

export const meta = pgTable('meta', {
	key: text('key').primaryKey(),
	value: text('value').notNull(),
});

/** Browsers that gave the password. Only a hash of what their cookie holds is known here. */
export const sessions = pgTable('sessions', {
	/** SHA-256 of the token: it has 32 random bytes, so nothing slower is needed */
	hash: text('hash').primaryKey(),
	createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
	/** moves on while the session is used */
	expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
});

/** Links that open the dashboard without a password; revoked ones stay, so that their end is visible. */
export const shareLinks = pgTable('share_links', {
	id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
	/** SHA-256 of the token in the address */
	hash: text('hash').notNull().unique('share_links_hash_unique'),
	name: text('name').notNull(),
	/** added to whatever its holder asks; empty: everything may be viewed */
	filter: text('filter').array().notNull().default([]),
	createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
	/** null: it does not expire */
	expiresAt: timestamp('expires_at', { withTimezone: true }),
	revokedAt: timestamp('revoked_at', { withTimezone: true }),
	/** to the hour */
	lastUsedAt: timestamp('last_used_at', { withTimezone: true }),
});

/** Logins, links and keys made and ended, what was erased: what happened, never what was typed or from where. */
export const audit = pgTable('audit', {
	id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
	at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
	action: text('action').notNull(),
	subject: text('subject').notNull().default(''),
});

export type EventRow = typeof events.$inferSelect;
export type NewEventRow = typeof events.$inferInsert;
export type MetricsSnapshotRow = typeof metricsSnapshots.$inferSelect;
export type NewMetricsSnapshotRow = typeof metricsSnapshots.$inferInsert;
export type IngestKeyRow = typeof ingestKeys.$inferSelect;
