-- The queue of those who came without a booking.
create table queue_ticket (
    id            uuid        not null primary key,
    store_id      uuid        not null references store,
    -- What is called out: counts the tickets of the opening that ends at close_time.
    number        integer     not null check (number > 0),
    customer_id   uuid        not null,
    item_id       uuid        references item,
    add_on_ids    uuid[]      not null default '{}',
    package_id    uuid        references package,
    therapist_id  uuid        references therapist,
    sex           smallint,
    -- Why he goes before all others; null for everybody else.
    urgent_reason text,
    -- As he came: 0 (member) to 3 (platinum).
    tier          smallint    not null check (tier between 0 and 3),
    -- When he came; when he stood at the end, as he came or was passed over; and whom he overtook then. See
    -- domain/walk_in/line.rs.
    join_time     timestamptz not null,
    queue_time    timestamptz not null,
    overtook      uuid[]      not null default '{}',
    quoted_time   timestamptz not null,
    close_time    timestamptz not null,
    state         text        not null check (state in ('WAITING', 'CALLED', 'LEFT', 'LAPSED', 'OVER')),
    booking_id    uuid        references booking,
    skip_count    integer     not null default 0 check (skip_count >= 0),
    version       bigint      not null,
    unique (store_id, close_time, number),
    constraint queue_ticket_choice check (num_nonnulls(item_id, package_id) = 1),
    constraint queue_ticket_called check ((state = 'CALLED') = (booking_id is not null))
);
create index queue_ticket_waiting on queue_ticket (store_id) where state = 'WAITING';
create index queue_ticket_over on queue_ticket (close_time) where state = 'WAITING';
-- Nobody stands in one queue twice.
create unique index queue_ticket_of_customer on queue_ticket (store_id, customer_id) where state = 'WAITING';
