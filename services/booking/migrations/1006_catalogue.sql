-- The catalogue in depth: what can be edited has a version, what is retired stays.

alter table store
    add column photos text[] not null default '{}';

-- Days with other hours than those of the week: spans in minutes after local midnight, as in store_opening_hours. A day
-- without any is closed.
create table store_special_day (
    store_id uuid       not null references store,
    date     date       not null,
    opens    smallint[] not null,
    closes   smallint[] not null check (cardinality(closes) = cardinality(opens)),
    note     text       not null,
    primary key (store_id, date)
);

create table store_licence (
    -- Of its events: it is an aggregate of its own, so that telling of it is no edit of its store.
    id           uuid   not null primary key,
    store_id     uuid   not null references store,
    kind         text   not null check (kind in ('BUSINESS', 'HYGIENE', 'FIRE', 'OTHER')),
    number       text   not null,
    expire_date  date   not null,
    -- The local date from which it must be told that it lapses; null if all has been told.
    warning_date date,
    -- How often that was told.
    version      bigint not null default 0,
    unique (store_id, kind, number)
);
create index store_licence_by_warning on store_licence (warning_date) where warning_date is not null;

alter table item
    add column version     bigint not null default 1,
    add column retire_time timestamptz,
    add column photos      text[] not null default '{}',
    -- The kind of certificate that a therapist must have.
    add column certificate text;

-- Which resource an item needs when, in minutes from the start of the treatment; without rows it follows from duration,
-- preparation and cleanup.
create table item_phase (
    item_id      uuid     not null references item,
    ordinal      smallint not null,
    resource     text     not null check (resource in ('THERAPIST', 'ROOM', 'EQUIPMENT')),
    start_minute integer  not null,
    minutes      integer  not null check (minutes > 0),
    primary key (item_id, ordinal)
);

-- Prices instead of the item's own; null is every store, every grade, every time. See domain/pricing.rs.
create table item_price (
    item_id      uuid     not null references item,
    ordinal      smallint not null,
    store_id     uuid     references store,
    grade        smallint,
    -- ISO weekdays on which the part of the day begins; empty is all.
    days         smallint[] not null default '{}',
    start_minute smallint check (start_minute between 0 and 1439),
    end_minute   smallint check (end_minute > start_minute and end_minute <= start_minute + 1440),
    price_minor  bigint   not null check (price_minor >= 0),
    primary key (item_id, ordinal),
    constraint item_price_daypart check ((start_minute is null) = (end_minute is null))
);

-- To which items an add-on can be added.
create table item_add_on (
    item_id uuid not null references item,
    to_id   uuid not null references item,
    primary key (item_id, to_id)
);
create index item_add_on_to on item_add_on (to_id);
create index cancellation_tier_of_item on cancellation_tier (item_id) where item_id is not null;

create table package (
    id                uuid        not null primary key,
    display_name      text        not null,
    description       text        not null,
    photos            text[]      not null,
    gap_limit_minutes integer     not null check (gap_limit_minutes >= 0),
    one_therapist     boolean     not null,
    -- Null is the sum of its items.
    price_minor       bigint      check (price_minor >= 0),
    currency          char(3)     not null,
    version           bigint      not null default 1,
    create_time       timestamptz not null,
    retire_time       timestamptz
);
create index package_by_name on package (display_name, id);

create table package_item (
    package_id uuid     not null references package,
    ordinal    smallint not null,
    item_id    uuid     not null references item,
    primary key (package_id, ordinal)
);
create index package_item_of on package_item (item_id);

alter table booking
    add constraint booking_package foreign key (package_id) references package;

alter table therapist
    add column version           bigint   not null default 1,
    add column retire_time       timestamptz,
    add column languages         text[]   not null default '{}',
    add column photo             text     not null default '',
    add column hire_date         date,
    -- Share of the work where it is given out by weights, in hundredths of a full-time colleague's.
    alter column weight          type smallint,
    drop constraint therapist_weight_check,
    add constraint therapist_weight_check check (weight between 1 and 1000);

create table therapist_certificate (
    therapist_id uuid not null references therapist,
    kind         text not null,
    number       text not null,
    -- The last day on which it is valid; null is for ever.
    expire_date  date,
    primary key (therapist_id, kind)
);

alter table room
    add column version     bigint  not null default 1,
    add column retire_time timestamptz,
    -- The room in which this bed stands.
    add column parent_id   uuid    references room,
    -- Where it lies along the corridor; 0 if it does not matter.
    add column position    integer not null default 0;
create index room_by_parent on room (parent_id) where parent_id is not null;
