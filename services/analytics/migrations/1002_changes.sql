-- What became of visits otherwise than planned: one row for each change. A visit rescheduled is none cancelled.
create table fact_booking_change (
    event_id     uuid        not null primary key,
    booking_id   uuid        not null,
    version      bigint      not null,
    store_id     uuid        not null,
    customer     pseudonym   not null,
    change       text        not null
                 check (change in ('RESCHEDULED', 'MOVED', 'EXTENDED', 'CANCELLED', 'NO_SHOW')),
    -- When it was to start before a reschedule or move.
    start_before timestamptz,
    start_time   timestamptz not null,
    change_time  timestamptz not null,
    constraint fact_booking_change_before check (start_before is null or change in ('RESCHEDULED', 'MOVED', 'EXTENDED'))
);
create index fact_booking_change_by_store on fact_booking_change (store_id, change_time);
