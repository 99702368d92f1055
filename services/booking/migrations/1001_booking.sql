-- Stores, what they offer, who works there, and the visits.

create extension if not exists btree_gist;

create table store (
    id            uuid             not null primary key,
    display_name  text             not null,
    address       text             not null,
    latitude      double precision,
    longitude     double precision,
    time_zone     text             not null,
    currency      char(3)          not null,
    version       bigint           not null default 1,
    create_time   timestamptz      not null,
    constraint store_position check ((latitude is null) = (longitude is null))
);
create index store_by_name on store (display_name, id);

-- A span of one weekday (1 = Monday) in minutes after its local midnight; past 1440 it reaches into the next day.
create table store_opening_hours (
    store_id     uuid     not null references store,
    day          smallint not null check (day between 1 and 7),
    open_minute  smallint not null check (open_minute between 0 and 1439),
    close_minute smallint not null check (close_minute > open_minute and close_minute <= open_minute + 1440),
    primary key (store_id, day, open_minute)
);

create table item (
    id                  uuid        not null primary key,
    display_name        text        not null,
    description         text        not null,
    category            text        not null,
    duration_minutes    integer     not null check (duration_minutes > 0),
    preparation_minutes integer     not null check (preparation_minutes >= 0),
    cleanup_minutes     integer     not null check (cleanup_minutes >= 0),
    price_minor         bigint      not null check (price_minor >= 0),
    currency            char(3)     not null,
    skill               text        not null,
    room_kind           text        not null,
    equipment_kind      text,
    create_time         timestamptz not null
);
create index item_by_name on item (display_name, id);

create table therapist (
    id           uuid        not null primary key,
    store_id     uuid        not null references store,
    display_name text        not null,
    sex          smallint    not null,
    grade        smallint    not null,
    skills       text[]      not null,
    create_time  timestamptz not null
);
create index therapist_by_name on therapist (store_id, display_name, id);

-- Rooms, beds and machines: whatever one visit at a time occupies.
create table room (
    id           uuid        not null primary key,
    store_id     uuid        not null references store,
    display_name text        not null,
    kind         text        not null,
    create_time  timestamptz not null
);
create index room_by_name on room (store_id, display_name, id);

create table shift (
    id           uuid        not null primary key,
    therapist_id uuid        not null references therapist,
    store_id     uuid        not null references store,
    start_time   timestamptz not null,
    end_time     timestamptz not null,
    create_time  timestamptz not null,
    constraint shift_length check (end_time > start_time),
    constraint shift_overlap exclude using gist (therapist_id with =, tstzrange(start_time, end_time) with &&)
);
create index shift_by_store on shift (store_id, start_time);
create index shift_by_therapist on shift (therapist_id, start_time) include (end_time);

create table booking (
    id               uuid        not null primary key,
    store_id         uuid        not null references store,
    item_id          uuid        not null references item,
    therapist_id     uuid        not null references therapist,
    room_id          uuid        not null references room,
    equipment_id     uuid        references room,
    customer_id      uuid        not null,
    start_time       timestamptz not null,
    end_time         timestamptz not null,
    state            text        not null,
    channel          text        not null,
    currency         char(3)     not null,
    list_price_minor bigint      not null check (list_price_minor >= 0),
    price_minor      bigint      not null check (price_minor between 0 and list_price_minor),
    deposit_minor    bigint      not null check (deposit_minor between 0 and price_minor),
    quote_id         uuid,
    hold_expire_time timestamptz not null,
    create_time      timestamptz not null,
    version          bigint      not null,
    -- Its order is being closed: a late deposit does not bring the time back any more.
    given_up         boolean     not null default false
);
create index booking_by_start on booking (start_time desc, id desc);
create index booking_by_store on booking (store_id, start_time desc, id desc);
create index booking_by_customer on booking (customer_id, start_time desc, id desc);
create index booking_by_therapist on booking (therapist_id, start_time desc, id desc);
create index booking_unpaid on booking (hold_expire_time) where state in ('HELD', 'AWAITING_PAYMENT');

-- Every step of a booking's life; version n led to `state`.
create table booking_history (
    booking_id  uuid        not null references booking,
    version     bigint      not null,
    state       text        not null,
    change_time timestamptz not null,
    actor       text        not null,
    reason      text        not null,
    primary key (booking_id, version)
);

-- Which resource (therapist, room or machine) a booking keeps, and when. This constraint is what decides that nothing
-- is ever sold twice: whatever path a booking takes, and whatever else fails, two live rows of one resource can't
-- overlap.
create table allocation (
    booking_id  uuid        not null references booking,
    resource_id uuid        not null,
    start_time  timestamptz not null,
    end_time    timestamptz not null,
    primary key (booking_id, resource_id),
    -- Searches rely on no allocation being as long as a day.
    constraint allocation_length check (end_time > start_time and end_time < start_time + interval '1 day'),
    constraint allocation_overlap exclude using gist (resource_id with =, tstzrange(start_time, end_time) with &&)
);
create index allocation_by_start on allocation (resource_id, start_time) include (end_time);
