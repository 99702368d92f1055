-- What every service database has, whatever the service: answers kept for repeated requests, events on their way out,
-- how far foreign events were read, who did what, and the keys of personal data. The code is in libs/pg.

-- The answer of every request that changed something, kept for ever: the same request id gets the same bytes again.
create table idempotency_key (
    caller      text        not null,
    request_id  uuid        not null,
    method      text        not null,
    fingerprint bytea       not null check (octet_length(fingerprint) = 32),
    -- Null only inside the transaction of the effect.
    reply       bytea,
    create_time timestamptz not null,
    primary key (caller, request_id)
);

-- Events of this service. Readers go by (xid, position) and stop below the oldest transaction still running, so that
-- nothing that commits late is passed over.
create table outbox (
    xid               xid8        not null default pg_current_xact_id(),
    position          bigint      not null generated always as identity,
    partition         smallint    not null,
    event_id          uuid        not null,
    type              text        not null,
    aggregate_id      uuid        not null,
    aggregate_version bigint      not null,
    occur_time        timestamptz not null,
    payload           bytea       not null,
    traceparent       text,
    primary key (xid, position)
);
create index outbox_reading on outbox (partition, xid, position);

-- How far this service has applied another's events, and which replica does so at present.
create table feed_cursor (
    feed              text        not null,
    consumer          text        not null,
    partition         smallint    not null,
    xid               xid8        not null default '0',
    position          bigint      not null default 0,
    holder            uuid,
    lease_expire_time timestamptz,
    primary key (feed, consumer, partition),
    constraint feed_cursor_lease check ((holder is null) = (lease_expire_time is null))
);

-- The replicas of a consumer that are alive, among which the partitions of a feed are divided.
create table feed_replica (
    feed      text        not null,
    consumer  text        not null,
    replica   uuid        not null,
    seen_time timestamptz not null,
    primary key (feed, consumer, replica)
);

-- Who saw or changed what. Entries are written unchained, so that writers do not wait for each other; a sealer chains
-- them afterwards in commit order.
create table audit_entry (
    xid         xid8        not null default pg_current_xact_id(),
    position    bigint      not null generated always as identity,
    create_time timestamptz not null,
    actor       text        not null,
    action      text        not null,
    target      text        not null,
    detail      jsonb       not null,
    primary key (xid, position)
);
create index audit_entry_by_target on audit_entry (target, create_time);
create index audit_entry_by_actor on audit_entry (actor, create_time);

-- Seal n covers the entries after those of seal n-1 up to (until_xid, until_position).
create table audit_seal (
    number         bigint      not null primary key check (number > 0),
    until_xid      xid8        not null,
    until_position bigint      not null,
    entries        bigint      not null check (entries > 0),
    hash           bytea       not null check (octet_length(hash) = 32),
    create_time    timestamptz not null
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger audit_entry_append_only before update or delete or truncate on audit_entry
    for each statement execute function refuse_change();
create trigger audit_seal_append_only before update or delete or truncate on audit_seal
    for each statement execute function refuse_change();

-- The keys of personal data, one per owner, wrapped by the master key. Deleting a row shreds all that it sealed.
create table vault_key (
    owner       uuid        not null primary key,
    wrapped     bytea       not null,
    create_time timestamptz not null
);
