-- People who come together. Their visits are bookings with this group, whose ids are in the order of the guests; each
-- stands for itself once it is held.

create table booking_group (
    id           uuid        not null primary key,
    store_id     uuid        not null references store,
    organiser_id uuid        not null,
    -- ONE: the organiser pays for everybody; SPLIT: everybody for himself.
    payer        text        not null check (payer in ('ONE', 'SPLIT')),
    create_time  timestamptz not null,
    -- Counts the events that were told of it.
    version      bigint      not null
);
create index booking_group_by_create on booking_group (create_time desc, id desc);
create index booking_group_by_store on booking_group (store_id, create_time desc, id desc);
create index booking_group_by_organiser on booking_group (organiser_id, create_time desc, id desc);

alter table booking add constraint booking_group_of foreign key (group_id) references booking_group;
create index booking_guest_of_group on booking (customer_id, group_id) where group_id is not null;
