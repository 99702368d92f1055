-- Who waits for a time that is taken, and what was offered to him.
create table waitlist_entry (
    id            uuid        not null primary key,
    store_id      uuid        not null references store,
    customer_id   uuid        not null,
    -- An item with its add-ons, or a package.
    item_id       uuid        references item,
    add_on_ids    uuid[]      not null default '{}',
    package_id    uuid        references package,
    -- Who is wished for; null is anybody.
    therapist_id  uuid        references therapist,
    sex           smallint,
    min_grade     smallint,
    language      text,
    channel       text        not null,
    -- Visits that start from start_time on and before end_time.
    start_time    timestamptz not null,
    end_time      timestamptz not null check (end_time > start_time),
    state         text        not null check (state in ('WAITING', 'OFFERED', 'TAKEN', 'LAPSED', 'LEFT', 'OVER')),
    -- The visit that was offered last.
    booking_id    uuid        references booking,
    -- How many offers he let pass. Whoever had fewer goes before.
    passed_count  integer     not null default 0 check (passed_count >= 0),
    create_time   timestamptz not null,
    version       bigint      not null,
    constraint waitlist_entry_choice check (num_nonnulls(item_id, package_id) = 1),
    constraint waitlist_entry_offer check (state not in ('OFFERED', 'TAKEN') or booking_id is not null)
);
create index waitlist_entry_line on waitlist_entry (store_id, passed_count, create_time, id) where state = 'WAITING';
create index waitlist_entry_over on waitlist_entry (end_time) where state = 'WAITING';
create index waitlist_entry_by_store on waitlist_entry (store_id, create_time, id);
create index waitlist_entry_by_customer on waitlist_entry (customer_id, create_time, id);

-- Every offer that was made. It ends with its booking; until then the entry has no other.
create table waitlist_offer (
    booking_id  uuid        not null primary key references booking,
    entry_id    uuid        not null references waitlist_entry,
    start_time  timestamptz not null,
    end_time    timestamptz not null,
    create_time timestamptz not null,
    -- How it ended; null while it runs.
    outcome     text        check (outcome in ('TAKEN', 'PASSED'))
);
create unique index waitlist_offer_open on waitlist_offer (entry_id) where outcome is null;
create index waitlist_offer_by_entry on waitlist_offer (entry_id);

-- The version of a store's roster at which its line was last looked at: an edit may have made times free.
create table waitlist_roster (
    store_id uuid   not null primary key references store,
    version  bigint not null
);
