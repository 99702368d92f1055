//! What must never be, and what must have come about, in SQL.

/// Counts that must be 0, in words and in SQL.
pub const NEVER: [(&str, &str); 21] = [
    (
        "live rows of one resource that overlap",
        "select count(*) from allocation a join allocation b
           on a.resource_id = b.resource_id and a.ctid < b.ctid and not a.overbooked and not b.overbooked
          and tstzrange(a.start_time, a.end_time) && tstzrange(b.start_time, b.end_time)",
    ),
    (
        "bookings whose history has gaps, or ends in another state",
        "select count(*) from booking b
         where version <> (select count(*) from booking_history h where h.booking_id = b.id)
            or version <> (select max(h.version) from booking_history h where h.booking_id = b.id)
            or 1 <> (select min(h.version) from booking_history h where h.booking_id = b.id)
            or state <> (select h.state from booking_history h where h.booking_id = b.id and h.version = b.version)",
    ),
    (
        "steps that have not exactly one event",
        "select count(*) from booking_history h
         where 1 <> (select count(*) from outbox o
                     where o.aggregate_id = h.booking_id and o.aggregate_version = h.version)",
    ),
    (
        "events of steps that were not made",
        "select count(*) from outbox o join booking b on b.id = o.aggregate_id where o.aggregate_version > b.version",
    ),
    (
        "steps whose event tells of something else",
        "select count(*) from booking_history h
         join outbox o on o.aggregate_id = h.booking_id and o.aggregate_version = h.version
         where o.type <> 'meridian.booking.v1.' || case
             when h.reason = 'HOLD_EXTENDED' then 'HoldExtended'
             when h.reason = 'RESCHEDULED' then 'BookingRescheduled'
             when h.reason = 'MOVED' then 'BookingMoved'
             when h.reason = 'EXTENDED' then 'BookingExtended'
             when h.state = 'HELD' then 'BookingHeld'
             when h.state = 'AWAITING_PAYMENT' then 'BookingAwaitingPayment'
             when h.state = 'CONFIRMED' then 'BookingConfirmed'
             when h.state = 'CHECKED_IN' then 'BookingCheckedIn'
             when h.state = 'IN_SERVICE' then 'BookingStarted'
             when h.state = 'COMPLETED' then 'BookingCompleted'
             when h.state = 'CANCELLED' then 'BookingCancelled'
             when h.state = 'NO_SHOW' then 'BookingNoShow'
             when h.state = 'EXPIRED' then 'BookingExpired' end",
    ),
    (
        "steps that may not follow each other",
        "select count(*) from booking_history a
         join booking_history b on b.booking_id = a.booking_id and b.version = a.version + 1
         where (a.state, b.state) not in (values
             ('HELD', 'AWAITING_PAYMENT'), ('HELD', 'CONFIRMED'), ('HELD', 'CANCELLED'), ('HELD', 'EXPIRED'),
             ('AWAITING_PAYMENT', 'CONFIRMED'), ('AWAITING_PAYMENT', 'CANCELLED'), ('AWAITING_PAYMENT', 'EXPIRED'),
             ('EXPIRED', 'CONFIRMED'), ('CONFIRMED', 'CANCELLED'), ('CONFIRMED', 'NO_SHOW'),
             ('CONFIRMED', 'CHECKED_IN'), ('CHECKED_IN', 'IN_SERVICE'), ('IN_SERVICE', 'COMPLETED'))
           and (a.state <> b.state or b.reason not in ('HOLD_EXTENDED', 'RESCHEDULED', 'MOVED', 'EXTENDED'))
           and ((a.state, b.state, b.reason) <> ('HELD', 'CHECKED_IN', 'WALK_IN'))",
    ),
    (
        "bookings that are over and keep something",
        "select count(*) from allocation a join booking b on b.id = a.booking_id
         where b.state in ('CANCELLED', 'EXPIRED', 'NO_SHOW')",
    ),
    (
        "visits to come that no shift of their therapist covers",
        "select count(*) from allocation a join booking b on b.id = a.booking_id and b.therapist_id = a.resource_id
         where b.state in ('HELD', 'AWAITING_PAYMENT', 'CONFIRMED', 'CHECKED_IN', 'IN_SERVICE')
           and not exists (select from shift s where s.therapist_id = a.resource_id
                           and s.start_time <= a.start_time and s.end_time >= a.end_time)",
    ),
    (
        "therapists who work more in a day than they may",
        "select count(*) from (
             select from allocation a join booking b on b.id = a.booking_id and b.therapist_id = a.resource_id
             join store_policy p on p.store_id = b.store_id
             where b.overbook_reason is null
             group by a.resource_id, a.start_time::date, p.max_minutes_per_day
             having sum(extract(epoch from a.end_time - a.start_time) / 60) > p.max_minutes_per_day) as tired",
    ),
    (
        "entries of the waitlist whose versions have not exactly one event",
        "select count(*) from waitlist_entry e
         where version <> (select count(*) from outbox o where o.aggregate_id = e.id)",
    ),
    (
        "entries of the waitlist that are offered something else than a hold that runs",
        "select count(*) from waitlist_entry e
         where (state = 'OFFERED') <> exists (
             select from waitlist_offer o join booking b on b.id = o.booking_id
             where o.entry_id = e.id and o.outcome is null and b.state in ('HELD', 'AWAITING_PAYMENT'))",
    ),
    (
        "groups whose versions have not exactly one event",
        "select count(*) from booking_group g
         where version <> (select count(*) from outbox o where o.aggregate_id = g.id)",
    ),
    (
        "groups of fewer than two",
        "select count(*) from booking_group g where 2 > (select count(*) from booking b where b.group_id = g.id)",
    ),
    (
        "tickets whose versions have not exactly one event",
        "select count(*) from queue_ticket t
         where version <> (select count(*) from outbox o where o.aggregate_id = t.id)",
    ),
    (
        "visits of walk-ins that are not those of one who was called",
        "select count(*) from booking b full join queue_ticket t on t.booking_id = b.id
         where (b.channel = 'WALK_IN' and t.id is null) or (t.state = 'CALLED' and b.channel <> 'WALK_IN')
            or (b.channel = 'WALK_IN' and b.customer_id <> t.customer_id)",
    ),
    (
        "rows that overlap others, of visits that nobody overbooked",
        "select count(*) from allocation a join booking b on b.id = a.booking_id
         where a.overbooked and b.overbook_reason is null",
    ),
    (
        "entries of the waitlist with several offers at a time",
        "select count(*) from (select from waitlist_offer where outcome is null
                               group by entry_id having count(*) > 1) as entry",
    ),
    (
        "visits that came to lie beside one that was overbooked, unknowingly",
        "with placed as (
             select h.booking_id, max(o.position) as position
             from booking_history h
             left join booking_history before on before.booking_id = h.booking_id and before.version = h.version - 1
             join outbox o on o.aggregate_id = h.booking_id and o.aggregate_version = h.version
             where h.version = 1 or h.reason in ('RESCHEDULED', 'MOVED', 'EXTENDED')
                or (before.state, h.state) = ('EXPIRED', 'CONFIRMED')
             group by h.booking_id)
         select count(*) from allocation a
         join allocation b on b.resource_id = a.resource_id and b.booking_id <> a.booking_id and not b.overbooked
          and tstzrange(a.start_time, a.end_time) && tstzrange(b.start_time, b.end_time)
         join placed over on over.booking_id = a.booking_id
         join placed beside on beside.booking_id = b.booking_id
         join booking on booking.id = b.booking_id and booking.overbook_reason is null
         where a.overbooked and beside.position > over.position",
    ),
    ("requests without an answer", "select count(*) from idempotency_key where reply is null"),
    (
        "customers with more holds than one may have",
        "select count(*) from (select from booking where state in ('HELD', 'AWAITING_PAYMENT')
                               group by customer_id having count(*) > 5) as hoarder",
    ),
    (
        "things of the roster whose versions have not exactly one event",
        "select count(*) from (select id, version from shift union all
                               select id, version from block where shift_id is null) it
         where version <> (select count(*) from outbox where aggregate_id = it.id)",
    ),
];

/// What came about in a run, in words and counts: whatever clients did, some of each must have.
pub const CAME: &str = "
    select what, (select count(*) from booking_history
                  where case when reason in ('HOLD_EXTENDED', 'RESCHEDULED', 'MOVED', 'EXTENDED') then reason
                             else state end = what)
      from unnest(array['HELD', 'AWAITING_PAYMENT', 'CONFIRMED', 'CHECKED_IN', 'IN_SERVICE', 'COMPLETED', 'CANCELLED',
                        'NO_SHOW', 'EXPIRED', 'HOLD_EXTENDED', 'RESCHEDULED', 'MOVED', 'EXTENDED']) as what
    union all
    select 'reinstated', count(*) from booking_history a join booking_history b using (booking_id)
     where b.version = a.version + 1 and (a.state, b.state) = ('EXPIRED', 'CONFIRMED')
    union all select 'of a group', count(*) from booking where group_id is not null
    union all select 'overbooked', count(distinct booking_id) from allocation where overbooked
    union all select 'called', count(*) from booking where channel = 'WALK_IN'
    union all select 'offered', count(*) from waitlist_offer
    union all select 'offers taken', count(*) from waitlist_offer where outcome = 'TAKEN'";
