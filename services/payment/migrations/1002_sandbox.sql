-- The sandbox provider: a foreign system that happens to keep its books in this database. Payment reaches it by HTTP
-- only and never reads these tables.
create schema sandbox;

create table sandbox.charge (
    -- The merchant's id for it.
    id             uuid        not null primary key,
    -- Ours.
    charge_id      text        not null unique,
    amount_minor   bigint      not null check (amount_minor > 0),
    currency       text        not null,
    notify_url     text        not null,
    state          text        not null check (state in ('pending', 'succeeded', 'failed', 'expired')),
    failure_reason text,
    create_time    timestamptz not null,
    expire_time    timestamptz not null,
    constraint charge_failure check ((state = 'failed') = (failure_reason is not null))
);
create index charge_to_expire on sandbox.charge (expire_time) where state = 'pending';

create table sandbox.refund (
    -- The merchant's id for it.
    id           uuid        not null primary key,
    charge       uuid        not null references sandbox.charge,
    amount_minor bigint      not null check (amount_minor > 0),
    create_time  timestamptz not null
);
create index refund_by_charge on sandbox.refund (charge);

-- Notices on their way; the queue outlives the process.
create table sandbox.notice (
    delivery          bigint      not null generated always as identity primary key,
    charge            uuid        not null references sandbox.charge,
    -- Kept as bytes: the signature is over these very bytes.
    body              bytea       not null,
    -- How it is spoiled on purpose, if it is.
    spoil             text        check (spoil in ('bad_signature', 'stale')),
    next_attempt_time timestamptz not null,
    attempt_count     integer     not null default 0,
    -- When it was acknowledged, or given up.
    done_time         timestamptz
);
create index notice_to_send on sandbox.notice (next_attempt_time, delivery) where done_time is null;
