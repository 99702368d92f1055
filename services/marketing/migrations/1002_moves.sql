-- Visits that move: what a customer was last told of a visit is compared with how it is now, and a visit that comes back
-- to a time that it had before is told of again.

-- Null for visits that have not changed since before this migration.
alter table visit
    add column start_time   timestamptz,
    add column therapist_id uuid;

-- The version of the visit that a message tells of; 0 for messages from before this migration.
alter table message
    add column booking_version bigint not null default 0,
    drop constraint message_once,
    add constraint message_once unique (booking_id, kind, start_time, booking_version);
