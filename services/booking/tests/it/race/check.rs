//! What must be true after each run, whatever happened in it.

use std::collections::BTreeSet;

use booking::{
    db,
    domain::{
        booking::State,
        span::{Span, minute},
    },
    flows::present_visit,
    peers::Return,
    worker::{close_missed, expire_bookings, keep_waitlist, run_tasks},
};
use kernel::{Timestamp, Uuid, ids::BookingId};
use pg::PgConnection;
use proto::booking::v1 as pb;
use rpc::convert::to_timestamp;
use tonic::Code;

use super::{
    ledger::{Known, why},
    run::Run,
};
use crate::{
    fakes::Asked,
    world::{World, at, at_minute, member},
};

/// Counts that must be 0, in words and in SQL.
const NEVER: [(&str, &str); 15] = [
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
           and (a.state <> b.state or b.reason not in ('HOLD_EXTENDED', 'RESCHEDULED', 'MOVED', 'EXTENDED'))",
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

/// Everything that is wrong after a run: first as it was left, then when all that goes on by itself has come to its end.
pub async fn all(run: &Run) -> Vec<String> {
    let mut wrong = std::mem::take(&mut run.ledger.told().faults);
    wrong.extend(now(run).await);
    wrong.extend(offered_and_had(&run.shop.world).await);
    if let Err(error) = settle(&run.shop.world).await {
        wrong.push(format!("the worker failed: {}", error.chain()));
    }
    wrong.extend(now(run).await);
    wrong.extend(orders(run).await);
    wrong
}

async fn now(run: &Run) -> Vec<String> {
    let world = &run.shop.world;
    let mut wrong = Vec::new();
    for (what, sql) in NEVER {
        match world.count(sql).await {
            0 => {}
            count => wrong.push(format!("{count} {what}")),
        }
    }
    let mut conn = world.app.pg.conn().await.expect("a connection");
    wrong.extend(requests(run, &mut conn).await);
    wrong.extend(answers(run, &mut conn).await);
    wrong.extend(kept(run, &mut conn).await);
    wrong
}

/// What was answered is stored with its answer, and what was refused left no trace.
async fn requests(run: &Run, conn: &mut PgConnection) -> Vec<String> {
    let stored: BTreeSet<String> = sqlx::query_scalar::<_, Uuid>("select request_id from idempotency_key")
        .fetch_all(conn)
        .await
        .expect("the requests")
        .into_iter()
        .map(|id| id.to_string())
        .collect();
    let told = run.ledger.told();
    let lost = told.answered.iter().filter(|id| !stored.contains(*id)).map(|id| format!("answered, not stored: {id}"));
    let traces = told.refused.iter().filter(|id| stored.contains(*id) && !told.answered.contains(id));
    lost.chain(traces.map(|id| format!("refused, and stored all the same: {id}"))).collect()
}

/// Every acknowledged booking exists: each step that an answer told of is in its history, and the newest answer is how it
/// is, unless it went on since.
async fn answers(run: &Run, conn: &mut PgConnection) -> Vec<String> {
    let (answers, paid) = {
        let told = run.ledger.told();
        (told.answers.clone(), told.paid.clone())
    };
    let mut wrong = Vec::new();
    for answer in answers {
        let id = BookingId::parse_name("name", &answer.name).expect("a booking's name");
        let Some(booking) = db::booking::get(conn, id).await.expect("a booking") else {
            wrong.push(format!("{id} was acknowledged and is lost"));
            continue;
        };
        let history = db::booking::history(conn, id).await.expect("a history");
        let told = booking::rpc::convert::to_booking(&booking, &history);
        let begun = told.history.starts_with(&answer.history);
        let length = i64::try_from(answer.history.len()).expect("small");
        if !begun || length != answer.version || booking.version < answer.version {
            wrong.push(format!("{id} was another at version {} than its answer says", answer.version));
        } else if booking.version == answer.version && told != answer {
            wrong.push(format!("{id} is not what was answered:\n  {told:?}\n  {answer:?}"));
        }
    }
    for name in paid {
        let id = BookingId::parse_name("name", &name).expect("a booking's name");
        let booking = db::booking::get(conn, id).await.expect("a booking");
        if booking.is_none_or(|booking| matches!(booking.state, State::Held | State::AwaitingPayment)) {
            wrong.push(format!("{id} is paid, and not confirmed"));
        }
    }
    wrong
}

/// A row exists exactly as long as its booking keeps the time, and for all that its item needs.
async fn kept(run: &Run, conn: &mut PgConnection) -> Vec<String> {
    let known: Vec<String> =
        run.ledger.told().bookings.iter().map(|Known { booking, .. }| booking.name.clone()).collect();
    let mut wrong = Vec::new();
    for name in known {
        let id = BookingId::parse_name("name", &name).expect("a booking's name");
        let Some(booking) = db::booking::get(conn, id).await.expect("a booking") else { continue };
        let rows: Vec<(Uuid, jiff_sqlx::Timestamp, jiff_sqlx::Timestamp)> =
            sqlx::query_as("select resource_id, start_time, end_time from allocation where booking_id = $1")
                .bind(id.uuid())
                .fetch_all(&mut *conn)
                .await
                .expect("rows");
        let rows: BTreeSet<(Uuid, Span)> = rows
            .into_iter()
            .map(|(resource, start, end)| (resource, Span::new(minute(start.to_jiff()), minute(end.to_jiff()))))
            .collect();
        let keeps = !matches!(booking.state, State::Cancelled | State::Expired | State::NoShow);
        let needed: BTreeSet<(Uuid, Span)> = if keeps {
            let present = present_visit::read(conn, &booking, &[]).await.expect("a visit");
            let visit = present.visit.extended(i64::from(booking.extension_minutes));
            present.assignment.allocations(&visit, minute(booking.start_time)).into_iter().collect()
        } else {
            BTreeSet::new()
        };
        if rows != needed {
            wrong.push(format!("{id} is {:?} and keeps {rows:?} instead of {needed:?}", booking.state));
        }
    }
    wrong
}

/// Now that nobody else wants anything: a time that is shown can be had, and one that is not shown can't.
async fn offered_and_had(world: &World) -> Vec<String> {
    let now = kernel::Clock::now(&*world.clock);
    let (from, to) = (at(0).max(now), at(6));
    let shown: Vec<_> = world.search(from, to).await.into_iter().filter_map(|slot| slot.start_time).collect();
    let grid = (0..72).map(|step| at_minute(step * 5)).filter(|start| *start >= from);
    let (shown, hidden): (Vec<Timestamp>, Vec<Timestamp>) =
        grid.partition(|start| shown.contains(&to_timestamp(*start)));
    let mut wrong = Vec::new();
    for start in hidden.into_iter().step_by(17) {
        match world.send_hold(&member().1, world.hold(start)).await {
            Err(refused) if refused.code() == Code::FailedPrecondition => {}
            other => wrong.push(format!("{start} was not shown, and a hold of it ended in {other:?}")),
        }
    }
    if let Some(start) = shown.into_iter().next()
        && let Err(refused) = world.send_hold(&member().1, world.hold(start)).await
    {
        wrong.push(format!("{start} was shown, and a hold of it was refused: {}", why(&refused)));
    }
    wrong
}

/// Lets all holds end and all orders close.
async fn settle(world: &World) -> kernel::Result<()> {
    // A hold ends within half an hour, and its order is closed a quarter of an hour later.
    for _ in 0..3 {
        world.clock.advance(std::time::Duration::from_secs(20 * 60));
        keep_waitlist(&world.app).await?;
        while expire_bookings(&world.app).await? + close_missed(&world.app).await? + run_tasks(&world.app).await? > 0 {}
    }
    Ok(())
}

/// Whoever has a time has an open order, and whoever has none any more has none: with all that is due on its way back.
async fn orders(run: &Run) -> Vec<String> {
    let world = &run.shop.world;
    let open: BTreeSet<Uuid> = world.fake.open_orders().into_iter().map(|order| order.uuid()).collect();
    let asked = world.fake.asked();
    let known: Vec<pb::Booking> = run.ledger.told().bookings.iter().map(|known| known.booking.clone()).collect();
    let mut wrong = Vec::new();
    for booking in known {
        let id = BookingId::parse_name("name", &booking.name).expect("a booking's name");
        let Ok(mut conn) = world.app.pg.conn().await else { continue };
        let Ok(Some(now)) = db::booking::get(&mut conn, id).await else { continue };
        let order = now.order();
        let made = asked.iter().any(|asked| matches!(asked, Asked::Create(new) if new.id == order));
        let keeps = !matches!(now.state, State::Cancelled | State::Expired | State::NoShow);
        match (keeps, made, open.contains(&order.uuid())) {
            (true, true, true) | (false, true, false) | (false, false, false) => {}
            (_, made, open) => wrong.push(format!("{id} is {:?}; order made: {made}, open: {open}", now.state)),
        }
        let whole = asked.iter().any(|asked| matches!(asked, Asked::Close(closed, Return::All, _) if *closed == order));
        if now.state == State::Expired && made && !whole {
            wrong.push(format!("{id} ran out, and not all comes back"));
        }
    }
    wrong
}
