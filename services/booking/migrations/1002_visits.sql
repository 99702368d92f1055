-- Visits in depth: a visit may have several parts, a resource may be kept by something else than a booking, and a store
-- may have rules of its own.

-- Counts the changes of a store's roster: its hours, rooms, therapists, shifts and items. A hold compares it inside its
-- transaction with what its plan was made from (see db/roster.rs), so that no edit strands a visit that was just made.
alter table store
    add column roster_version bigint not null default 1;

-- Rules of a store where they differ from the chain's; null is the chain's.
create table store_policy (
    store_id               uuid not null primary key references store,
    -- How a therapist is found for whoever names none; see domain/policy.rs.
    assignment             text,
    hold_minutes           integer check (hold_minutes > 0),
    hold_limit_minutes     integer check (hold_limit_minutes > 0),
    lead_minutes           integer check (lead_minutes >= 0),
    no_show_grace_minutes  integer check (no_show_grace_minutes >= 0),
    waitlist_offer_minutes integer check (waitlist_offer_minutes > 0),
    -- Limits on the work of a therapist; null or 0 is none.
    max_minutes_in_row     integer check (max_minutes_in_row >= 0),
    max_minutes_per_day    integer check (max_minutes_per_day >= 0),
    rest_minutes           integer check (rest_minutes >= 0),
    -- How many visits a day partners may book at this store; null is no limit.
    partner_quota          integer check (partner_quota >= 0)
);

-- What a cancellation costs the customer: the tier with the greatest notice that is still kept applies; whoever keeps
-- none pays the last. Rows of an item go before those of its store; without rows the chain's rule holds.
create table cancellation_tier (
    store_id         uuid     not null references store,
    item_id          uuid     references item,
    -- Kept if the visit is given up at least so many minutes before its start.
    notice_minutes   integer  not null check (notice_minutes >= 0),
    -- The part of the price that stays with the store, in hundredths of a percent; never more than what was paid.
    fee_basis_points integer  not null check (fee_basis_points between 0 and 10000)
);
create unique index cancellation_tier_of on cancellation_tier (store_id, coalesce(item_id, store_id), notice_minutes);

alter table booking
    -- The package that it was booked as.
    add column package_id        uuid,
    -- The party that it belongs to.
    add column group_id          uuid,
    -- Add-ons of the first part.
    add column add_on_ids        uuid[]      not null default '{}',
    -- Minutes by which the visit was lengthened beyond its items.
    add column extension_minutes integer     not null default 0 check (extension_minutes >= 0),
    -- The customer asked for this therapist.
    add column requested         boolean     not null default false,
    -- How the therapist was found, for people: policy and reason.
    add column assignment        text        not null default '',
    -- What it was held from, so that one device can't hoard.
    add column device            text,
    -- The partner platform that holds it.
    add column partner           text,
    -- Up to when a hold may be prolonged.
    add column hold_limit_time   timestamptz,
    -- Why it was allowed to overlap others; null for every ordinary visit.
    add column overbook_reason   text;
create index booking_by_group on booking (group_id) where group_id is not null;
create index booking_held_by_customer on booking (customer_id) where state in ('HELD', 'AWAITING_PAYMENT');
create index booking_held_by_device on booking (device) where state in ('HELD', 'AWAITING_PAYMENT') and device is not null;
create index booking_held_by_partner on booking (partner) where state in ('HELD', 'AWAITING_PAYMENT') and partner is not null;
create index booking_due on booking (start_time) where state = 'CONFIRMED';

-- The parts of a visit of several items after the first; the first is the booking's own row.
create table booking_part (
    booking_id   uuid        not null references booking,
    ordinal      smallint    not null check (ordinal >= 2),
    item_id      uuid        not null references item,
    therapist_id uuid        not null references therapist,
    room_id      uuid        not null references room,
    equipment_id uuid        references room,
    start_time   timestamptz not null,
    end_time     timestamptz not null check (end_time > start_time),
    primary key (booking_id, ordinal)
);
create index booking_part_by_therapist on booking_part (therapist_id, start_time);

-- Time in which a therapist, room or machine can't be had for another reason than a visit: a break, time off,
-- maintenance. Its allocations are rows of `allocation` as those of visits are, so that neither can strand the other.
create table block (
    id          uuid        not null primary key,
    store_id    uuid        not null references store,
    resource_id uuid        not null,
    kind        text        not null check (kind in ('BREAK', 'TIME_OFF', 'MAINTENANCE', 'OTHER')),
    start_time  timestamptz not null,
    end_time    timestamptz not null check (end_time > start_time),
    reason      text        not null,
    create_time timestamptz not null
);
create index block_by_resource on block (resource_id, start_time);
create index block_by_store on block (store_id, start_time);

-- An allocation is kept by a booking or by a block. A visit may keep one resource several times (a therapist before and
-- after a pause). A block longer than a day has a row for each piece.
alter table allocation drop constraint allocation_pkey;
alter table allocation
    alter column booking_id drop not null,
    add column block_id uuid references block on delete cascade,
    add column overbooked boolean not null default false,
    add constraint allocation_keeper check (num_nonnulls(booking_id, block_id) = 1),
    drop constraint allocation_overlap,
    -- Two live rows of one resource can't overlap, unless somebody who may has said so, with a reason, for one of them.
    add constraint allocation_overlap exclude using gist
        (resource_id with =, tstzrange(start_time, end_time) with &&) where (not overbooked);
create unique index allocation_of_booking on allocation (booking_id, resource_id, start_time) where booking_id is not null;
create unique index allocation_of_block on allocation (block_id, resource_id, start_time) where block_id is not null;
