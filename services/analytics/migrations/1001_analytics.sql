-- Facts, reckoned from the events of the other services, and how far their feeds were counted. Nobody is named here: a
-- customer is a pseudonym, keyed by the deployment's master key. Everything can be made again by reading the feeds from
-- their beginning.

create domain pseudonym as bytea check (octet_length(value) = 32);

-- How many events of a feed's partition the facts hold. It moves in the transaction of the facts, so that it equals the
-- number of rows in the publisher's outbox when all is read.
create table feed_position (
    feed            text        not null,
    partition       smallint    not null,
    event_count     bigint      not null check (event_count > 0),
    last_occur_time timestamptz not null,
    primary key (feed, partition)
);

create table dim_store (
    store_id     uuid    not null primary key,
    version      bigint  not null,
    display_name text    not null,
    time_zone    text    not null,
    currency     char(3) not null
);

-- A visit as it stands now. `state` and `channel` are the names that the booking service publishes.
create table fact_booking (
    booking_id    uuid        not null primary key,
    version       bigint      not null,
    store_id      uuid        not null,
    item_id       uuid        not null,
    therapist_id  uuid        not null,
    customer      pseudonym   not null,
    state         text        not null,
    channel       text        not null,
    start_time    timestamptz not null,
    end_time      timestamptz not null,
    currency      char(3)     not null,
    price_minor   bigint      not null,
    deposit_minor bigint      not null,
    change_time   timestamptz not null
);
create index fact_booking_by_store on fact_booking (store_id, start_time);

create table fact_payment (
    payment_id   uuid        not null primary key,
    order_id     uuid        not null,
    booking_id   uuid        not null,
    store_id     uuid        not null,
    customer     pseudonym   not null,
    purpose      text        not null,
    tender       text        not null,
    currency     char(3)     not null,
    amount_minor bigint      not null check (amount_minor >= 0),
    capture_time timestamptz not null
);
create index fact_payment_by_store on fact_payment (store_id, capture_time);

create table fact_refund (
    refund_id    uuid        not null primary key,
    payment_id   uuid        not null,
    order_id     uuid        not null,
    booking_id   uuid        not null,
    store_id     uuid        not null,
    customer     pseudonym   not null,
    reason       text        not null,
    currency     char(3)     not null,
    amount_minor bigint      not null check (amount_minor >= 0),
    refund_time  timestamptz not null
);
create index fact_refund_by_store on fact_refund (store_id, refund_time);

create table fact_member (
    member        pseudonym   not null primary key,
    store_id      uuid,
    register_time timestamptz not null
);
create index fact_member_by_store on fact_member (store_id, register_time);

-- One row for each change of somebody's points; `change` is EARNED, REVOKED or EXPIRED.
create table fact_points (
    event_id    uuid        not null primary key,
    member      pseudonym   not null,
    store_id    uuid,
    change      text        not null check (change in ('EARNED', 'REVOKED', 'EXPIRED')),
    points      bigint      not null check (points >= 0),
    change_time timestamptz not null
);
create index fact_points_by_store on fact_points (store_id, change_time);

-- One row for each change of a coupon; `change` is REDEEMED (with what it took off) or RELEASED.
create table fact_coupon (
    event_id     uuid        not null primary key,
    coupon_id    uuid        not null,
    version      bigint      not null,
    code         text        not null,
    customer     pseudonym   not null,
    store_id     uuid,
    booking_id   uuid,
    change       text        not null check (change in ('REDEEMED', 'RELEASED')),
    currency     char(3),
    amount_minor bigint,
    change_time  timestamptz not null,
    constraint fact_coupon_amount check ((change = 'REDEEMED') = (currency is not null and amount_minor is not null))
);
create index fact_coupon_by_coupon on fact_coupon (coupon_id, version);

create table fact_message (
    message_id uuid        not null primary key,
    customer   pseudonym,
    kind       text        not null,
    channel    text        not null,
    send_time  timestamptz not null
);
create index fact_message_by_time on fact_message (send_time);
